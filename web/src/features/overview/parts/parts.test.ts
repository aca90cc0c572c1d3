import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { heat } from '../data/heat'
import { headline } from '../data/headline'
import { breakdown } from '../data/categories'
import { monthPeriod } from '../period'
import CategoryLegend from './CategoryLegend.vue'
import CategoryTable from './CategoryTable.vue'
import ChartSheet from './ChartSheet.vue'
import HeadFigures from './HeadFigures.vue'
import HeatCalendar from './HeatCalendar.vue'

const page = defineComponent({ render: () => h('div') })
const router = createRouter({
  history: createMemoryHistory(),
  routes: [
    { path: '/', name: 'expenses', component: page },
    { path: '/overview', name: 'overview', component: page },
  ],
})
const global = { plugins: [router] }
const scale = { currency: 'EUR', decimals: 2 }
const period = monthPeriod('2026-11')
const category = (name: string) => ({ id: name, name, color: null })
const parts = breakdown(
  [
    { month: '2026-11', category: category('Eating out'), total: 7500n, count: 3 },
    { month: '2026-11', category: null, total: 2500n, count: 1 },
    { month: '2026-11', category: category('Shoes'), total: -1000n, count: 1 },
  ],
  () => true,
)
const to = () => ({ name: 'overview' })

describe('a chart and its table', () => {
  it('take turns', async () => {
    const sheet = mount(ChartSheet, { props: { title: 'Days' }, slots: { chart: () => 'drawn', table: () => 'written' } })
    expect([sheet.text().includes('drawn'), sheet.text().includes('written')]).toEqual([true, false])
    await sheet.get('button').trigger('click')
    expect([sheet.text().includes('drawn'), sheet.text().includes('written')]).toEqual([false, true])
    expect(sheet.get('button').attributes('aria-label')).toBe('Days: As a chart')
  })
})

describe('the categories', () => {
  it('are listed with exact amounts, and lead to their breakdown', () => {
    const legend = mount(CategoryLegend, {
      props: { breakdown: parts, scale, toCategory: (key: string | null) => ({ name: 'overview', query: { category: key } }) },
      global,
    })
    const links = legend.findAll('a')
    expect(links.map((link) => link.text())).toEqual(['Eating out75.0%€75.00', 'Uncategorised25.0%€25.00', 'Shoes-€10.00'])
    expect(links[1]?.attributes('href')).toBe('/overview?category=none')
  })

  it('are a table with a head for every row and column, that leads to the expenses', () => {
    const table = mount(CategoryTable, { props: { breakdown: parts, period, scale, name: 'November 2026' }, global })
    expect(table.get('caption').text()).toBe('Spending by category, November 2026, EUR')
    expect(table.findAll('thead th[scope=col]').length).toBe(4)
    expect(table.findAll('tbody th[scope=row]').length).toBe(3)
    const address = table.get('tbody a').attributes('href') ?? ''
    expect(new URLSearchParams(address.split('?')[1]).get('q')).toBe('cat:"Eating out" date:2026-11 currency:EUR')
    expect(table.get('tfoot').text()).toBe('Total5€90.00')
  })
})

it('the key figures say which days are compared', () => {
  const days = [
    { day: '2026-10-10', total: 20000n, count: 1 },
    { day: '2026-11-05', total: 22200n, count: 2 },
  ]
  const figures = mount(HeadFigures, { props: { headline: headline(days, period, '2026-11-22'), period, scale }, global })
  const texts = figures.findAll('dl > div').map((box) => box.text().replace(/\s+/g, ' '))
  expect(texts[0]).toContain('€222.00')
  expect(texts[2]).toContain('€10.09')
  expect(texts[2]).toContain('over 22 days')
  expect(texts[3]).toContain('+€22.00 +11.0%')
  expect(texts[3]).toMatch(/1 – 22.*against.*1 – 22|Nov 1 – 22, 2026 against Oct 1 – 22, 2026/)
})

describe('the calendar', () => {
  const days = [
    { day: '2026-01-05', total: 500n, count: 1 },
    { day: '2026-01-06', total: 900n, count: 2 },
  ]
  const calendar = () =>
    mount(HeatCalendar, {
      props: { heat: heat(days, '2026-01', 1), scale, shownMonth: '2026-01', to },
      global,
      attachTo: document.body,
    })

  it('is one stop of the Tab key, and the arrows lead on', async () => {
    const wrapper = calendar()
    const order = () => wrapper.findAll('a.day').map((day) => day.attributes('tabindex'))
    expect(order()).toEqual(['-1', '0'])
    await wrapper.findAll('a.day')[1]?.trigger('keydown', { key: 'ArrowLeft' })
    expect([order(), document.activeElement?.getAttribute('data-date')]).toEqual([['0', '-1'], '2026-01-05'])
    wrapper.unmount()
  })

  it('says what a day holds, and leads to it', async () => {
    const wrapper = calendar()
    const day = wrapper.findAll('a.day')[1]
    expect(day?.attributes('aria-label')).toMatch(/6.*€9\.00, 2 expenses$/)
    await day?.trigger('click')
    await router.isReady()
    await new Promise((resolve) => setTimeout(resolve))
    expect(router.currentRoute.value.query['q']).toBe('date:2026-01-06 currency:EUR')
    wrapper.unmount()
  })
})
