import { expect, test } from 'vitest'
import { moment } from '@/testing/replicas'
import { gistOf, scaleOf, SECONDS, seriesOf } from './series'

/** A whole second, and everything here is counted from it. */
const T = 1_700_000_000_000
const last = (values: readonly unknown[] | undefined, count: number) => values?.slice(-count)

test('writes are the revisions of each second', () => {
  const moments = [
    moment(T + 100, [10, 10, 10]),
    moment(T + 900, [13, 12, 10]),
    moment(T + 1_000, [14, 14, 10]),
    moment(T + 2_999, [20, 20, 20]),
  ]
  const series = seriesOf(moments, T + 2_999)
  expect(last(series.get('1')?.writes, 4)).toEqual([null, 3, 1, 6])
  expect(last(series.get('2')?.writes, 4)).toEqual([null, 2, 2, 6])
  expect(last(series.get('3')?.writes, 4)).toEqual([null, 0, 0, 10])
  expect(series.get('1')?.writes).toHaveLength(SECONDS)
})

test('the second that is not over is the last', () => {
  const series = seriesOf([moment(T, [1, 1, 1]), moment(T + 1_500, [9, 9, 9])], T + 1_800)
  expect(last(series.get('1')?.writes, 3)).toEqual([null, 0, 8])
})

test('what came before the window is where the first second begins', () => {
  const end = T + SECONDS * 1_000 - 1
  const series = seriesOf([moment(T - 60_000, [5, 5, 5], { 3: { lag: 4 } }), moment(T + 10, [8, 5, 5])], end)
  expect(series.get('1')?.writes[0]).toBe(3)
  expect(series.get('3')?.lag[0]).toBe(4)
  expect(series.get('1')?.writes.every((value) => value !== null)).toBe(true)
})

test('a lag counts in every second in which it was there, with its peak', () => {
  const moments = [
    moment(T + 100, [10, 10, 10], { 2: { lag: 3 } }),
    moment(T + 200, [10, 10, 10], { 2: { lag: 7 } }),
    moment(T + 300, [10, 10, 10], { 2: { lag: 5 } }),
    moment(T + 2_500, [10, 10, 10]),
  ]
  expect(last(seriesOf(moments, T + 3_999).get('2')?.lag, 4)).toEqual([7, 5, 5, 0])
})

test('a replica that goes back has not written', () => {
  const series = seriesOf([moment(T, [50, 50, 50]), moment(T + 500, [50, 3, 50])], T + 600)
  expect(last(series.get('2')?.writes, 1)).toEqual([0])
})

test('revisions beyond the exact numbers of JavaScript are counted exactly', () => {
  const at = (time: number, revision: string) => moment(time, [1, 1, 1], { 1: { revision } })
  const series = seriesOf([at(T, '9007199254740993'), at(T + 10, '9007199254740994')], T + 20)
  expect(last(series.get('1')?.writes, 1)).toEqual([1])
})

test('the gist is the last whole second and the highest', () => {
  expect(gistOf([null, 4, 9, 2, 1])).toEqual({ now: 2, peak: 9 })
  expect(gistOf([null, 4])).toEqual({ now: 0, peak: 4 })
  expect(gistOf([])).toEqual({ now: 0, peak: 0 })
})

test.each([
  [[0], 5],
  [[5], 5],
  [[6], 10],
  [[11, 3], 20],
  [[21], 50],
  [[201], 500],
])('the scale of %j is %i', (values, scale) => {
  expect(scaleOf([[null], values])).toBe(scale)
})
