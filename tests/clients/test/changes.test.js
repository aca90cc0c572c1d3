import assert from 'node:assert/strict'
import { test } from 'node:test'

import { addedExpense, limit, overHttp, overWebSocket, replicas } from '../src/cluster.js'

const HEAD = '{ expenses(first: 1) { revision } }'
const CHANGES = /* GraphQL */ `
  subscription Changes($after: Revision) {
    changes(after: $after) {
      __typename
      ... on ChangeBatch {
        revision
        committedAt
        changes {
          __typename
          ... on ExpenseAdded {
            expense {
              id
              description
              amount {
                amount
                currency
              }
              ledger {
                id
              }
            }
          }
        }
      }
      ... on Bookmark {
        revision
      }
      ... on ResyncRequired {
        oldestRevision
        headRevision
      }
    }
  }
`

async function headOf(replica) {
  const { expenses } = await overHttp(replica).request(HEAD)
  return expenses.revision
}

/** The batches after a revision on one replica, up to and with the one that adds this expense. */
async function batchesUntil(client, after, expenseId) {
  const batches = []
  for await (const { data, errors } of client.iterate({ query: CHANGES, variables: { after } })) {
    assert.equal(errors, undefined)
    if (data.changes.__typename === 'Bookmark') continue
    assert.equal(data.changes.__typename, 'ChangeBatch')
    batches.push(data.changes)
    if (addedIn([data.changes]).includes(expenseId)) break
  }
  return batches
}

function addedIn(batches) {
  return batches
    .flatMap(({ changes }) => changes)
    .filter(({ __typename }) => __typename === 'ExpenseAdded')
    .map(({ expense }) => expense.id)
}

test('a subscriber receives what is added on another replica', limit, async (t) => {
  const after = await headOf(replicas[0])
  const { expense, receipt } = await addedExpense(replicas[1])

  const batches = await batchesUntil(overWebSocket(t, replicas[2]), after, expense.id)
  const batch = batches.at(-1)
  assert.equal(batch.revision, receipt.revision)
  assert.ok(!Number.isNaN(Date.parse(batch.committedAt)))
  const [added] = batch.changes
  assert.equal(added.expense.description, expense.description)
  assert.deepEqual(added.expense.amount, { amount: '3.20', currency: 'EUR' })
  assert.ok(added.expense.ledger.id)
})

test('a subscriber that goes on at another replica sees each change once', limit, async (t) => {
  const start = await headOf(replicas[0])
  const before = overWebSocket(t, replicas[0])
  const added = []
  const add = async (replica) => added.push((await addedExpense(replica)).expense.id)

  // Connected to one replica while the expenses are added on another.
  await add(replicas[1])
  await add(replicas[2])
  await add(replicas[1])
  const seen = await batchesUntil(before, start, added.at(-1))
  await before.dispose()

  // Away: nobody listens.
  await add(replicas[0])
  await add(replicas[1])

  // Back, at another replica, with what was missed and what is new.
  await add(replicas[0])
  seen.push(...(await batchesUntil(overWebSocket(t, replicas[2]), seen.at(-1).revision, added.at(-1))))

  const ours = addedIn(seen).filter((id) => added.includes(id))
  assert.deepEqual(ours, added)
  const revisions = seen.map(({ revision }) => BigInt(revision))
  const expected = revisions.map((_, index) => BigInt(start) + 1n + BigInt(index))
  assert.deepEqual(revisions, expected, 'every revision once, in order, none left out')
})

test('a subscriber that is already waiting is told at once', limit, async (t) => {
  const client = overWebSocket(t, replicas[0])
  const events = client.iterate({ query: CHANGES, variables: { after: await headOf(replicas[0]) } })
  let expense
  for await (const { data } of events) {
    if (data.changes.__typename === 'Bookmark') {
      // Caught up: from here on the change comes live.
      expense ??= (await addedExpense(replicas[1])).expense
    } else if (expense && addedIn([data.changes]).includes(expense.id)) {
      return
    }
  }
  assert.fail('the stream ended before the change came')
})
