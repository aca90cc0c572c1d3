import type { Client } from '@urql/core'
import { describe, expect, it } from 'vitest'
import type { UserError } from '@/outbox/entry'
import { createMutations } from './mutations'

/** Answers with what is given, one after the other; null for no answer. */
function clientOf(...answers: (UserError[] | null)[]) {
  const sent: { idempotencyKey: string }[] = []
  const client = {
    mutation: (_: unknown, { input }: { input: { idempotencyKey: string } }) => ({
      toPromise() {
        sent.push(input)
        const errors = answers.shift()
        return Promise.resolve(errors ? { data: { payload: { userErrors: errors } } } : { error: new Error('gone') })
      },
    }),
  }
  return { client: client as unknown as Client, sent }
}

function error(code: UserError['code'], field: string): UserError {
  return { code, message: 'why', field: ['input', field] }
}

describe('mutations of categories', () => {
  it('say what is wrong', async () => {
    const { client } = clientOf(
      [],
      [error('ALREADY_EXISTS', 'name')],
      [error('VERSION_CONFLICT', 'expectedVersion')],
      [error('NOT_FOUND', 'id')],
      [error('LIMIT_REACHED', 'name')],
      null,
    )
    const { update } = createMutations(client)
    const problems = []
    for (let turn = 0; turn < 6; turn += 1) problems.push(await update({ id: 'a', name: `${turn}` }))
    expect(problems).toEqual([
      null,
      { kind: 'taken' },
      { kind: 'conflict' },
      { kind: 'gone' },
      { kind: 'refused', message: 'why' },
      { kind: 'unsent' },
    ])
  })

  it('keep their key until they are settled', async () => {
    const { client, sent } = clientOf(null, null, [], [], null)
    const { add } = createMutations(client)
    for (let turn = 0; turn < 4; turn += 1) await add({ name: 'Food' })
    await add({ name: 'Other' })
    const [first, second, third, fourth, fifth] = sent.map(({ idempotencyKey }) => idempotencyKey)
    expect([second, third]).toEqual([first, first])
    expect(new Set([first, fourth, fifth]).size).toBe(3)
  })
})
