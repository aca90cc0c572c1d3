import { CombinedError } from '@urql/core'
import { GraphQLError } from 'graphql'
import { describe, expect, it, vi } from 'vitest'
import type { UserError } from '@/outbox/entry'
import type { Row } from '../parse/rows'
import { chunksOf, MAX_CHUNK_ROWS } from './chunks'
import { createKeys } from './keys'
import { NoAnswer, type Outcome } from './operations'
import { createPatience } from './patience'
import { sendChunk, type Sender } from './send'

const LEDGER = '00000000-0000-0000-0000-000000000001'
const keys = createKeys(new Uint8Array(32), LEDGER)

function row(number: number, description = `row ${number}`): Row {
  return { number: BigInt(number), line: number + 2, spentOn: '2026-01-01', description, amount: '1.00', currency: 'EUR', category: null, notes: null, tags: [] }
}

/** A cluster as far as imports know it: it remembers keys and ids, and refuses a chunk as a whole. */
function cluster() {
  const stored = new Map<string, string>()
  const outcomes = new Map<string, Outcome>()
  const sent: { key: string; count: number }[] = []
  return {
    stored,
    sent,
    operations: {
      outcome: (key: string) => Promise.resolve(outcomes.get(key) ?? null),
      addExpenses(key: string, _ledger: string, expenses: { id?: string | null; description: string; currency: string }[]) {
        sent.push({ key, count: expenses.length })
        if (expenses.some(({ currency }) => currency === 'XXX')) return Promise.reject(wrong('no such currency'))
        const known = outcomes.get(key)
        if (known) return Promise.resolve(known)
        const errors = expenses.flatMap(({ id, description }, index): UserError[] => {
          const field = ['input', 'expenses', String(index)]
          if (stored.has(id ?? '')) return [{ code: 'ALREADY_EXISTS', message: 'there', field: [...field, 'id'] }]
          return description === 'bad' ? [{ code: 'INVALID', message: 'no', field: [...field, 'description'] }] : []
        })
        if (errors.length === 0) for (const { id, description } of expenses) stored.set(id ?? '', description)
        outcomes.set(key, { errors })
        return Promise.resolve({ errors })
      },
    },
  }
}

function wrong(message: string) {
  return new NoAnswer(new CombinedError({ graphQLErrors: [new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })] }))
}

function senderOf({ operations }: Pick<ReturnType<typeof cluster>, 'operations'>) {
  const counts = { added: 0, there: 0, refused: [] as string[] }
  const patience = createPatience(() => Promise.resolve())
  const sender: Sender = {
    operations,
    patience,
    keys,
    ledgerId: LEDGER,
    categoryIds: new Map(),
    tally: {
      added: (rows) => (counts.added += rows.length),
      there: (rows) => (counts.there += rows.length),
      refused: (refused, reason) => counts.refused.push(`${refused.line}: ${reason}`),
    },
  }
  return { sender, counts, patience }
}

describe('sending a chunk', () => {
  const rows = [row(0), row(1), row(2)]

  it('adds its rows, and the same file again adds nothing', async () => {
    const there = cluster()
    const first = senderOf(there)
    await sendChunk(first.sender, { number: 0, rows })
    expect(first.counts).toEqual({ added: 3, there: 0, refused: [] })
    const second = senderOf(there)
    await sendChunk(second.sender, { number: 0, rows })
    expect(second.counts).toEqual({ added: 0, there: 3, refused: [] })
    expect(there.sent).toHaveLength(1)
  })

  it('adds only what is not there when the file is mapped anew', async () => {
    const there = cluster()
    await sendChunk(senderOf(there).sender, { number: 0, rows: rows.slice(1) })
    const { sender, counts } = senderOf(there)
    await sendChunk(sender, { number: 0, rows: rows.map((each) => row(Number(each.number), 'mapped anew')) })
    expect(counts).toEqual({ added: 1, there: 2, refused: [] })
    expect([...there.stored.values()].sort()).toEqual(['mapped anew', 'row 1', 'row 2'])
    expect(new Set(there.sent.map(({ key }) => key)).size).toBe(3)
  })

  it('goes on without rows that are refused', async () => {
    const there = cluster()
    await sendChunk(senderOf(there).sender, { number: 0, rows: [row(0)] })
    const { sender, counts } = senderOf(there)
    await sendChunk(sender, { number: 1, rows: [row(0), row(1, 'bad'), row(2)] })
    expect(counts).toEqual({ added: 1, there: 1, refused: ['3: no'] })
  })

  it('finds the row for which the replicas refuse the whole request', async () => {
    const { sender, counts } = senderOf(cluster())
    const unknown = { ...row(3), currency: 'XXX' }
    await sendChunk(sender, { number: 0, rows: [...rows, unknown, row(4)] })
    expect(counts).toEqual({ added: 4, there: 0, refused: ['5: [GraphQL] no such currency'] })
  })

  it('counts what was stored as added where only the answer was lost', async () => {
    const there = cluster()
    let lost = 0
    const { sender, counts } = senderOf({
      operations: {
        ...there.operations,
        async addExpenses(...input) {
          const outcome = await there.operations.addExpenses(...input)
          lost += 1
          if (lost === 1) throw new NoAnswer(new CombinedError({ networkError: new Error('gone') }))
          return outcome
        },
      },
    })
    await sendChunk(sender, { number: 0, rows })
    expect(counts).toEqual({ added: 3, there: 0, refused: [] })
    expect(there.stored.size).toBe(3)
    expect(new Set(there.sent.map(({ key }) => key)).size).toBe(1)
  })

  it('waits for the person where no replica answers, and goes on where it was', async () => {
    const there = cluster()
    let down = true
    const { sender, counts, patience } = senderOf({
      operations: {
        ...there.operations,
        addExpenses: (...input) =>
          down
            ? Promise.reject(new NoAnswer(new CombinedError({ networkError: new Error('gone') })))
            : there.operations.addExpenses(...input),
      },
    })
    const sending = sendChunk(sender, { number: 0, rows })
    await vi.waitFor(() => expect(patience.state.trouble).toContain('gone'))
    down = false
    patience.goOn()
    await sending
    expect(counts.added).toBe(3)
    expect(patience.state.trouble).toBeNull()
  })

  it('ends where the person cancels', async () => {
    const { sender, patience } = senderOf(cluster())
    patience.cancel()
    await expect(sendChunk(sender, { number: 0, rows })).rejects.toThrow('cancelled')
  })
})

describe('chunks', () => {
  it('have a bounded number of rows and of characters', () => {
    const many = Array.from({ length: MAX_CHUNK_ROWS + 1 }, (_, index) => row(index))
    expect([...chunksOf(many)].map(({ number, rows }) => [number, rows.length])).toEqual([[0, MAX_CHUNK_ROWS], [1, 1]])
    const long = Array.from({ length: 13 }, (_, index) => ({ ...row(index), notes: 'x'.repeat(32_768) }))
    expect([...chunksOf(long)].map(({ rows }) => rows.length)).toEqual([6, 6, 1])
    expect([...chunksOf([])]).toEqual([])
  })
})
