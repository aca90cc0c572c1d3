import { expect, test } from 'vitest'
import { moment } from '@/testing/replicas'
import { eventOf, eventsBetween } from './events'
import type { Moment } from './replica'

const before = moment(1_000, [10, 10, 10])
const told = (now: Moment, earlier: Moment | null = before) =>
  eventsBetween(earlier, now).map(({ kind, replica }) => `${kind} ${replica}`)

test('nothing happens where only revisions move', () => {
  expect(told(moment(1_050, [12, 11, 10], { 3: { lag: 2 } }))).toEqual([])
})

test('the first moment tells who leads and who is away', () => {
  expect(told(moment(0, [10, 10, 10], { 3: { role: 'UNREACHABLE', inSync: false } }), null)).toEqual(['lost 3', 'elected 1'])
})

test('a leader is lost, and another is elected', () => {
  const lost = moment(2_000, [10, 10, 10], { 1: { role: 'UNREACHABLE', inSync: false } })
  expect(told(lost)).toEqual(['lost 1', 'leaderless 1'])
  const elected = moment(2_500, [10, 10, 10], {
    1: { role: 'UNREACHABLE', inSync: false },
    2: { role: 'LEADER', term: '2' },
  })
  expect(eventsBetween(lost, elected)).toEqual([
    { kind: 'elected', at: 2_500, replica: '2', term: '2', revision: '10' },
  ])
})

test('of two leaders the later term counts, and the old one is not told again', () => {
  const both = moment(2_000, [10, 10, 10], { 2: { role: 'LEADER', term: '2' } })
  expect(told(both)).toEqual(['elected 2'])
  expect(told(moment(2_100, [10, 10, 10], { 1: { role: 'FOLLOWER' }, 2: { role: 'LEADER', term: '2' } }), both)).toEqual([])
})

test('a leader that is elected again is told', () => {
  expect(told(moment(2_000, [10, 10, 10], { 1: { role: 'LEADER', term: '3' } }))).toEqual(['elected 1'])
})

test('a replica falls behind and catches up', () => {
  const behind = moment(2_000, [20, 20, 12], { 3: { inSync: false, lag: 8 } })
  expect(told(behind)).toEqual(['behind 3'])
  expect(told(moment(3_000, [20, 20, 20]), behind)).toEqual(['caughtUp 3'])
})

test('a replica comes back, first behind, then caught up', () => {
  const lost = moment(2_000, [20, 20, 12], { 3: { role: 'UNREACHABLE', inSync: false } })
  const back = moment(3_000, [20, 20, 12], { 3: { inSync: false } })
  expect(told(back, lost)).toEqual(['back 3'])
  expect(told(moment(4_000, [20, 20, 20]), back)).toEqual(['caughtUp 3'])
})

test('two that differ are told with both names', () => {
  expect(eventOf({ revision: '7', between: ['1', '3'] }, 5, '2')).toEqual({
    kind: 'diverged',
    at: 5,
    replica: '3',
    other: '1',
    term: '2',
    revision: '7',
  })
})
