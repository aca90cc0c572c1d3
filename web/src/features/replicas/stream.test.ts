import { expect, test } from 'vitest'
import type { Batch } from '@/feed/feed'
import { moment } from '@/testing/replicas'
import { MAX_ROWS, withBatch, withMoment, type Row } from './stream'

const T = Date.parse('2026-11-22T12:00:00Z')

/** A batch of so many new expenses, made `at` milliseconds after T. */
function batch(revision: number, at: number, count = 1): Batch {
  const changes = Array.from({ length: count }, (_, index) => ({
    __typename: 'ExpenseAdded' as const,
    expense: { id: `${revision}-${index}`, description: 'Coffee', amount: { amount: '3.20', currency: 'EUR' } },
  }))
  const committedAt = new Date(T + at).toISOString()
  return { __typename: 'ChangeBatch', revision: String(revision), committedAt, changes } as unknown as Batch
}

const cells = (row: Row | undefined) => row?.cells.map(({ share, after }) => [share, after])

test('each replica has its moment, counted from the first', () => {
  const past = [moment(T, [10, 10, 10])]
  let rows = withBatch([], batch(11, 0), past)
  expect(cells(rows[0])).toEqual([[0, null], [0, null], [0, null]])
  rows = withMoment(rows, moment(T + 40, [11, 10, 10]))
  rows = withMoment(rows, moment(T + 90, [11, 11, 10]))
  expect(cells(rows[0])).toEqual([[1, 0], [1, 50], [0, null]])
  rows = withMoment(rows, moment(T + 9_040, [12, 12, 12]))
  expect(cells(rows[0])).toEqual([[1, 0], [1, 50], [1, 9_000]])
})

test('moments that came before the batch count as well', () => {
  const past = [moment(T, [10, 10, 10]), moment(T + 50, [10, 11, 10]), moment(T + 100, [11, 11, 10])]
  expect(cells(withBatch([], batch(11, 0), past)[0])).toEqual([[1, 50], [1, 0], [0, null]])
})

test('no distance is told where a replica had it before the page looked', () => {
  const past = [moment(T, [10, 11, 10]), moment(T + 100, [11, 11, 10])]
  expect(cells(withBatch([], batch(11, 0), past)[0])).toEqual([[1, null], [1, null], [0, null]])
})

test('a row tells its one change', () => {
  const [row] = withBatch([], batch(11, 0), [])
  expect(row?.only).toMatchObject({ kind: 'added', name: 'Coffee', money: { amount: '3.20' } })
  const [many] = withBatch([], batch(12, 0, 500), [])
  expect(many).toMatchObject({ only: null, counts: { added: 500 } })
})

test('rows are newest first, and the same batch is told once', () => {
  const rows = withBatch(withBatch([], batch(11, 0), []), batch(12, 2_000), [])
  expect(rows.map(({ to }) => to)).toEqual([12n, 11n])
  expect(withBatch(rows, batch(12, 2_000), [])).toBe(rows)
})

test('a burst is told as a range, which fills in parts', () => {
  const past = [moment(T, [10, 10, 10])]
  let rows: readonly Row[] = []
  for (let revision = 11; revision <= 40; revision += 1) rows = withBatch(rows, batch(revision, revision * 10), past)
  expect(rows.map(({ from, to }) => [from, to])).toEqual([[15n, 40n], [14n, 14n], [13n, 13n], [12n, 12n], [11n, 11n]])
  expect(rows[0]?.counts).toEqual({ added: 26 })
  rows = withMoment(rows, moment(T + 500, [40, 27, 10]))
  expect(cells(rows[0])).toEqual([[1, 0], [0.5, null], [0, null]])
})

test('a range that grows asks the replicas for its new end', () => {
  let rows: readonly Row[] = []
  const past = [moment(T, [10, 10, 10])]
  for (let revision = 11; revision <= 20; revision += 1) rows = withBatch(rows, batch(revision, 0), past)
  rows = withMoment(rows, moment(T + 10, [20, 20, 20]))
  rows = withBatch(rows, batch(21, 50), [...past, moment(T + 10, [20, 20, 20])])
  expect(rows[0]?.to).toBe(21n)
  expect(rows[0]?.cells.every(({ share }) => share < 1)).toBe(true)
})

test('a burst ends with a gap, and begins anew after a while', () => {
  let rows: readonly Row[] = []
  for (let revision = 11; revision <= 20; revision += 1) rows = withBatch(rows, batch(revision, 0), [])
  const afterGap = withBatch(rows, batch(21, 900), [])
  expect(afterGap[0]).toMatchObject({ from: 21n, burst: false })
  for (let at = 100; at <= 5_100; at += 100) rows = withBatch(rows, batch(21 + at / 100, at), [])
  expect(rows[0]).toMatchObject({ burst: true })
  expect(rows[1]).toMatchObject({ burst: true })
})

test('slow changes stay apart', () => {
  let rows: readonly Row[] = []
  for (let revision = 11; revision <= 30; revision += 1) rows = withBatch(rows, batch(revision, revision * 300), [])
  expect(rows).toHaveLength(20)
})

test('rows are bounded', () => {
  let rows: readonly Row[] = []
  for (let revision = 1; revision <= MAX_ROWS + 10; revision += 1) rows = withBatch(rows, batch(revision, revision * 2_000), [])
  expect(rows).toHaveLength(MAX_ROWS)
  expect(rows.at(-1)?.to).toBe(11n)
})

test('rows that are settled are not touched again', () => {
  const past = [moment(T, [10, 10, 10])]
  const rows = withMoment(withBatch([], batch(11, 0), past), moment(T + 50, [11, 11, 11]))
  expect(withMoment(rows, moment(T + 100, [12, 12, 12]))).toBe(rows)
})
