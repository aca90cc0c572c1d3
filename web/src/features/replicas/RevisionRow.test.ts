import { mount, RouterLinkStub } from '@vue/test-utils'
import { expect, test } from 'vitest'
import type { Deed } from './deeds'
import RevisionRow from './RevisionRow.vue'
import type { Row } from './stream'

const coffee: Deed = { kind: 'added', id: 'x', name: 'Coffee', money: { amount: '3.20', currency: 'EUR' }, fields: [] }
const row: Row = {
  from: 1_200n,
  to: 1_200n,
  begun: 0,
  ended: 0,
  burst: false,
  counts: { added: 1 },
  only: coffee,
  cells: [
    { replica: '1', share: 1, at: 5, after: 0 },
    { replica: '2', share: 1, at: 45, after: 40 },
    { replica: '3', share: 0, at: null, after: null },
  ],
}

function put(given: Partial<Row> = {}) {
  const page = mount(RevisionRow, {
    props: { row: { ...row, ...given }, replicas: ['1', '2', '3'] },
    global: { stubs: { RouterLink: RouterLinkStub } },
  })
  return { page, text: page.text().replaceAll('\u00a0', ' ') }
}

test('a change is told, and leads to the expense on each replica', () => {
  const { page, text } = put()
  expect(text).toContain('1,200')
  expect(text).toContain('added “Coffee” €3.20')
  expect(page.getComponent(RouterLinkStub).props('to')).toMatchObject({ query: { expense: 'x' } })
})

test('an update names the fields', () => {
  expect(put({ only: { ...coffee, kind: 'updated', fields: ['amount', 'tags'] } }).text).toContain(
    'updated “Coffee” €3.20: Amount, Tags',
  )
})

test('a category leads nowhere', () => {
  const { page, text } = put({ only: { ...coffee, kind: 'categoryAdded', name: 'Food', money: null } })
  expect(text).toContain('added the category “Food”')
  expect(page.findComponent(RouterLinkStub).exists()).toBe(false)
})

test('a range is told by its ends and its counts', () => {
  const { text } = put({ from: 1_200n, to: 1_450n, only: null, counts: { added: 250, categoryUpdated: 1 } })
  expect(text).toContain('1,200–1,450')
  expect(text).toContain('250 expenses added, 1 category updated')
})

test('each replica has its place, in words, too', () => {
  const words = put().page.findAll('.unseen').map((each) => each.text().replaceAll('\u00a0', ' '))
  expect(words).toEqual([
    'Replica 1 has it',
    'Replica 2 has it, 40 ms after the first',
    'Replica 3 does not have it yet',
  ])
})

test('a replica that the row does not know yet is missing from it', () => {
  const { page } = put({ cells: [] })
  expect(page.findAll('.unseen').at(0)?.text()).toBe('Replica 1 does not have it yet')
})
