import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'

import { addedExpense, addExpense, limit, overHttp, replicas } from '../src/cluster.js'

const EXPENSE = /* GraphQL */ `
  query Expense($id: UUID!) {
    expense(id: $id) {
      id
      description
      amount {
        amount
        currency
        minorUnits
      }
      revision
    }
  }
`

test('what is added on one replica is read on each', limit, async () => {
  for (const [index, replica] of replicas.entries()) {
    const { expense, receipt } = await addedExpense(replica)
    assert.deepEqual(expense.amount, { amount: '3.20', currency: 'EUR', minorUnits: '320' })
    assert.equal(expense.revision, receipt.revision)
    assert.equal(receipt.replayed, false)

    for (const other of [replicas[(index + 1) % 3], replicas[(index + 2) % 3], replica]) {
      const read = await overHttp(other).request(EXPENSE, { id: expense.id })
      assert.deepEqual(read.expense, expense, `${other} misses what ${replica} has acknowledged`)
    }
  }
})

test('a mutation that all replicas acknowledged is in a local read of each', limit, async () => {
  const { expense, receipt } = await addedExpense(replicas[1], {}, { 'Write-Acknowledgement': 'all' })
  assert.deepEqual(receipt.pending, [])
  assert.deepEqual(
    receipt.acknowledgedBy.map(({ state }) => state),
    ['APPLIED', 'APPLIED', 'APPLIED'],
  )

  for (const replica of replicas) {
    const read = await overHttp(replica, { 'Read-Consistency': 'local' }).request(EXPENSE, { id: expense.id })
    assert.deepEqual(read.expense, expense)
  }
})

test('a local read waits for the revision that it asks for', limit, async () => {
  const { expense, receipt } = await addedExpense(replicas[0], {}, { 'Write-Acknowledgement': 'quorum' })
  for (const replica of replicas) {
    const headers = { 'Read-Consistency': 'local', 'Min-Revision': receipt.revision }
    const read = await overHttp(replica, headers).request(EXPENSE, { id: expense.id })
    assert.deepEqual(read.expense, expense)
  }
})

test('a retry with the same key, on another replica, adds nothing', limit, async () => {
  const input = { idempotencyKey: randomUUID(), description: `Cheese ${randomUUID()}` }
  const first = await addedExpense(replicas[0], input)
  const second = await addedExpense(replicas[2], input)

  assert.equal(second.expense.id, first.expense.id)
  assert.equal(second.receipt.revision, first.receipt.revision)
  assert.deepEqual([first.receipt.replayed, second.receipt.replayed], [false, true])
})

test('what may not be stored is told apart from what went wrong', limit, async () => {
  const refused = await addExpense(replicas[1], { amount: '3.205' })
  assert.equal(refused.expense, null)
  assert.equal(refused.receipt, null)
  assert.deepEqual(
    refused.userErrors.map(({ code }) => code),
    ['INVALID'],
  )

  await assert.rejects(overHttp(replicas[1]).request('{ nothing }'), ({ response }) => {
    assert.equal(response.errors[0].extensions.code, 'BAD_USER_INPUT')
    return true
  })
})
