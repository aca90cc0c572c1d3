import { mount } from '@vue/test-utils'
import { expect, test } from 'vitest'
import type { Replica } from '@/cluster/replica'
import { moment } from '@/testing/replicas'
import ReplicaSheet from './ReplicaSheet.vue'
import { standingOf } from './standing'

function put(id: string, changed: Record<string, Partial<Replica>> = {}, own = false) {
  const { replicas } = moment(0, [1_234, 1_234, 1_234], changed)
  const index = Number(id) - 1
  const replica = replicas[index]
  if (!replica) throw new Error('there are three')
  return mount(ReplicaSheet, {
    props: {
      replica,
      index,
      own,
      standing: standingOf(replicas, false),
      contact: 300,
      series: { writes: [], lag: [] },
      writesScale: 5,
      lagScale: 5,
    },
    global: { stubs: { Sparkline: true } },
  })
}
const text = (page: ReturnType<typeof put>) => page.text().replaceAll('\u00a0', ' ')

test('the leader is marked, and only it', () => {
  expect(put('1').get('.stamp').classes()).toContain('leads')
  expect(put('2').get('.stamp').classes()).not.toContain('leads')
})

test('of two that say so, the one of the newer term is marked', () => {
  const two = { 2: { role: 'LEADER', term: '2' } } as const
  expect(put('1', two).classes()).not.toContain('leads')
  expect(put('2', two).classes()).toContain('leads')
})

test('a sheet says how far the replica is, and when it was heard from', () => {
  const page = put('2', { 2: { lag: 3, inSync: false } })
  expect(page.get('[data-testid="revision"]').text()).toBe('1,234')
  expect(text(page)).toContain('3 behind')
  expect(text(page)).toContain('not in sync')
  expect(text(page)).toContain('0.3 s ago')
  expect(page.get('a').attributes('href')).toBe('http://127.0.0.1:8082/replicas')
})

test('the one that this page talks to says so', () => {
  expect(text(put('1', {}, true))).toContain('This page talks to it')
  expect(text(put('1'))).not.toContain('This page talks to it')
})

test('one that is away fades, and says since when', () => {
  const page = put('3', { 3: { role: 'UNREACHABLE', inSync: false } })
  expect(page.classes()).toContain('away')
  expect(text(page)).toMatch(/Not reachable since \d/)
  expect(text(page)).not.toContain('in sync')
  expect(text(put('3', { 3: { role: 'UNREACHABLE', lastSeenAt: null } }))).toContain('Never heard from')
})

test('one that is quarantined says why', () => {
  const page = put('2', { 2: { quarantine: 'its table expense differs', inSync: false } })
  expect(page.get('[role=alert]').text()).toBe('Quarantined, serves nothing: its table expense differs')
  expect(put('2').find('[role=alert]').exists()).toBe(false)
})

test('hashes are compared at equal revisions only', () => {
  expect(text(put('2'))).toContain('equal on 3 replicas')
  const behind = { 2: { revision: '1200', stateHash: 'x' } }
  expect(text(put('2', behind))).toContain('at revision 1,200')
  expect(text(put('2', { 2: { stateHash: 'x' } }))).toContain('differs at an equal revision')
})
