import { describe, expect, it } from 'vitest'
import type { Change, FeedMessage } from '@/feed/feed'
import { touches } from './touches'

const NOVEMBER = { from: '2026-11-01', to: '2026-11-30' }
const on = (spentOn: string) => ({ spentOn })

/** The feed's fragments are masked: only `touches` may look inside. */
function message(...changes: object[]): FeedMessage {
  return {
    type: 'batch',
    batch: { __typename: 'ChangeBatch', revision: '1', committedAt: '', changes: changes as Change[] },
  }
}

describe('what touches the figures of some days', () => {
  it.each([
    [true, { __typename: 'ExpenseAdded', expense: on('2026-11-30') }],
    [true, { __typename: 'ExpenseDeleted', expense: on('2026-11-01') }],
    [true, { __typename: 'ExpenseRestored', expense: on('2026-11-15') }],
    [false, { __typename: 'ExpenseAdded', expense: on('2026-12-01') }],
    // Moved out of the days, or into them.
    [true, { __typename: 'ExpenseUpdated', before: on('2026-11-30'), expense: on('2026-12-01') }],
    [true, { __typename: 'ExpenseUpdated', before: on('2026-10-31'), expense: on('2026-11-01') }],
    [false, { __typename: 'ExpenseUpdated', before: on('2026-10-30'), expense: on('2026-10-31') }],
    [true, { __typename: 'CategoryUpdated' }],
    [true, { __typename: 'CategoryDeleted' }],
    [false, { __typename: 'CategoryAdded' }],
  ])('%s for %j', (expected, change) => expect(touches(message(change), NOVEMBER)).toBe(expected))

  it('is any change of a batch, and everything that was missed', () => {
    const other = { __typename: 'ExpenseAdded', expense: on('2025-01-01') }
    expect(touches(message(other, { __typename: 'ExpenseAdded', expense: on('2026-11-02') }), NOVEMBER)).toBe(true)
    expect(touches({ type: 'resync' }, NOVEMBER)).toBe(true)
  })
})
