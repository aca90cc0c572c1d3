import { describe, expect, it, vi } from 'vitest'
import type { Sink, Socket } from '@/graphql/socket'
import { createFeed, isAfter, type FeedMessage } from './feed'

type Event = Record<string, unknown> & { __typename: string }

/** A socket whose replica is the test. */
function fakeSocket() {
  const subscriptions: { variables: { after: string | null }; sink: Sink<{ changes: Event }> }[] = []
  const socket = {
    subscribe: (_document: unknown, variables: { after: string | null }, sink: Sink<{ changes: Event }>) => {
      subscriptions.push({ variables, sink })
      return () => undefined
    },
    close: () => undefined,
  } as unknown as Socket
  const send = (event: Event) => subscriptions.at(-1)?.sink.next({ changes: event })
  return { socket, subscriptions, send }
}

const batch = (revision: number): Event => ({ __typename: 'ChangeBatch', revision: String(revision), committedAt: '', changes: [] })
const bookmark = (revision: number): Event => ({ __typename: 'Bookmark', revision: String(revision) })

function begin() {
  const { socket, subscriptions, send } = fakeSocket()
  const feed = createFeed(socket)
  const heard: string[] = []
  feed.listen((message: FeedMessage) => heard.push(message.type === 'batch' ? message.batch.revision : message.type))
  feed.start()
  return { feed, heard, subscriptions, send }
}

describe('the feed', () => {
  it('goes on from the last revision that it has seen', () => {
    const { feed, heard, subscriptions, send } = begin()
    expect(subscriptions[0]?.variables).toEqual({ after: null })
    send(bookmark(9))
    send(batch(10))
    // The socket reads the variables anew when it reconnects.
    expect(subscriptions[0]?.variables).toEqual({ after: '10' })
    send(batch(10))
    send(batch(11))
    expect(heard).toEqual(['10', '11'])
    expect(feed.state.revision).toBe('11')
    expect(feed.state.caughtUp).toBe(true)
  })

  it('knows what a list has missed, or that it does not know', () => {
    const { feed, send } = begin()
    expect(feed.since('5')).toBeNull()
    send(bookmark(9))
    for (const revision of [10, 11, 12]) send(batch(revision))
    expect(feed.since('8')).toBeNull()
    expect(feed.since('9')?.map(({ revision }) => revision)).toEqual(['10', '11', '12'])
    expect(feed.since('12')).toEqual([])
    // A list that was read after the feed's last word has nothing to catch up with.
    expect(feed.since('40')).toEqual([])
  })

  it('keeps no more than it says, and knows from where', () => {
    const { feed, send } = begin()
    send(bookmark(0))
    for (let revision = 1; revision <= 1_500; revision += 1) send(batch(revision))
    expect(feed.since('499')).toBeNull()
    expect(feed.since('500')).toHaveLength(1_000)
  })

  it('keeps few batches where they are large', () => {
    const { feed, send } = begin()
    send(bookmark(0))
    const large = Array.from({ length: 1_000 }, () => ({ __typename: 'CategoryDeleted', categoryId: 'c', mergedInto: null }))
    for (let revision = 1; revision <= 10; revision += 1) send({ ...batch(revision), changes: large })
    expect(feed.since('4')).toBeNull()
    expect(feed.since('5')).toHaveLength(5)
  })

  it('has everybody read again where the replica no longer keeps what was missed', () => {
    vi.useFakeTimers()
    const { feed, heard, subscriptions, send } = begin()
    send(bookmark(9))
    send({ __typename: 'ResyncRequired', oldestRevision: '500', headRevision: '900' })
    subscriptions[0]?.sink.complete()
    expect(heard).toEqual(['resync'])
    vi.advanceTimersByTime(5_000)
    expect(subscriptions.at(-1)?.variables).toEqual({ after: '900' })
    expect(feed.since('899')).toBeNull()
    vi.useRealTimers()
  })

  it('compares revisions as numbers of any size', () => {
    expect(isAfter('10', '9')).toBe(true)
    expect(isAfter('9007199254740993', '9007199254740992')).toBe(true)
    expect(isAfter('1', null)).toBe(true)
  })
})
