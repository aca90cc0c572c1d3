import assert from 'node:assert/strict'
import { test } from 'node:test'

import { addedExpense, limit, overWebSocket, replicas } from '../src/cluster.js'

const EXPENSE = 'query Expense($id: UUID!) { expense(id: $id) { id description } }'

/** The one answer to a query or mutation sent over a socket. */
async function ask(client, query, variables) {
  for await (const answer of client.iterate({ query, variables })) return answer
  assert.fail('the operation completed without an answer')
}

test('connection_init says how fresh the reads of a socket are', limit, async (t) => {
  const { expense, receipt } = await addedExpense(replicas[1], {}, { 'Write-Acknowledgement': 'quorum' })
  const { id, description } = expense

  for (const replica of replicas) {
    for (const payload of [
      { 'Read-Consistency': 'linearizable' },
      { 'Read-Consistency': 'local', 'Min-Revision': receipt.revision },
      {},
    ]) {
      const answer = await ask(overWebSocket(t, replica, payload), EXPENSE, { id })
      assert.deepEqual({ ...answer.data.expense }, { id, description }, `${replica} ${JSON.stringify(payload)}`)
    }
  }
})

test('a document that is not valid ends its own operation and leaves the socket to the others', limit, async (t) => {
  const client = overWebSocket(t, replicas[0])
  let opened = 0
  client.on('connected', () => opened++)
  const ready = 'subscription { replicas { id } }'

  // A subscription keeps the socket open while the other operation fails.
  for await (const { data } of client.iterate({ query: ready })) {
    assert.equal(data.replicas.length, 3)
    await assert.rejects(ask(client, 'subscription { nothing }'), (errors) => {
      assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT')
      return true
    })
    break
  }
  assert.equal(opened, 1)
})

test('operations share one socket', limit, async (t) => {
  const client = overWebSocket(t, replicas[2])
  let opened = 0
  client.on('connected', () => opened++)

  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(client, '{ replica { id } }')))
  assert.equal(new Set(answers.map(({ data }) => data.replica.id)).size, 1)
  assert.equal(opened, 1)
})
