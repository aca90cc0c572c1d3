import assert from 'node:assert/strict'
import { test } from 'node:test'

import { addedExpense, limit, overWebSocket, replicas } from '../src/cluster.js'

const REPLICAS = /* GraphQL */ `
  subscription Replicas {
    replicas {
      id
      role
      url
      term
      revision
      lag
      inSync
      stateHash
      expenseCount
      database
      lastSeenAt
    }
  }
`

test('the replica view shows three replicas, one of which leads', limit, async (t) => {
  for (const replica of replicas) {
    for await (const { data } of overWebSocket(t, replica).iterate({ query: REPLICAS })) {
      assert.equal(data.replicas.length, 3)
      assert.equal(new Set(data.replicas.map(({ id }) => id)).size, 3)
      assert.equal(new Set(data.replicas.map(({ url }) => url)).size, 3)
      const roles = data.replicas.map(({ role }) => role).sort()
      assert.deepEqual(roles, ['FOLLOWER', 'FOLLOWER', 'LEADER'])
      break
    }
  }
})

test('the replica view follows a mutation, with equal hashes at equal revision', limit, async (t) => {
  let written
  for await (const { data } of overWebSocket(t, replicas[2]).iterate({ query: REPLICAS })) {
    const hashes = new Map()
    for (const { revision, stateHash } of data.replicas) {
      assert.equal(hashes.get(revision) ?? stateHash, stateHash, `two histories at revision ${revision}`)
      hashes.set(revision, stateHash)
    }
    written ??= BigInt((await addedExpense(replicas[0])).receipt.revision)
    if (data.replicas.every(({ revision }) => BigInt(revision) >= written)) return
  }
  assert.fail('the stream ended before every replica had the mutation')
})
