import { mount } from '@vue/test-utils'
import { nextTick, shallowReactive } from 'vue'
import { expect, test } from 'vitest'
import { eventsBetween, type ClusterEvent } from '@/cluster/events'
import { moment } from '@/testing/replicas'
import { provided } from '@/testing/services'
import EventLog from './EventLog.vue'

const well = moment(1_000, [10, 10, 10])
const lost = moment(2_000, [10, 10, 10], { 1: { role: 'UNREACHABLE', inSync: false } })

function put(events: ClusterEvent[]) {
  return mount(EventLog, { global: { provide: provided({ cluster: { events } }) } })
}

test('what happened before is shown and not said', () => {
  const page = put(eventsBetween(null, well))
  expect(page.find('ol').text()).toContain('Replica 1 is the leader of term 1')
  expect(page.get('[role="status"]').text()).toBe('')
})

test('what happens together is said together, in its order', async () => {
  const events = shallowReactive(eventsBetween(null, well))
  const page = put(events)
  events.unshift(...eventsBetween(well, lost).reverse())
  await nextTick()
  expect(page.get('[role="status"]').text()).toBe(
    'Replica 1 is not reachable; last known at revision 10. Replica 1 leads no more, and nobody else does yet',
  )
  expect(page.findAll('li').map((item) => item.classes()[0])).toEqual(['leaderless', 'lost', 'elected'])
})

test('nothing that happened is said in words', () => {
  expect(put([]).text()).toContain('Nothing has happened to the replicas')
})
