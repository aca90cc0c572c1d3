import { describe, expect, it, vi } from 'vitest'
import { nextTick, shallowRef } from 'vue'
import type { Expense } from '@/feed/expense'
import { layoutOf } from './layout'
import { expense } from './testing'
import { moneyOf } from './totals'
import { MAX_SELECTED, useSelection } from './useSelection'
import type { View } from './useExpenseList'

function viewOf(rows: readonly Expense[]): View {
  return { rows, layout: layoutOf(rows), marks: new Map(), effects: [] }
}

const rows = ['e', 'd', 'c', 'b', 'a'].map((id, index) => expense(id, { amount: `${index + 1}.00` }))
const at = (index: number) => rows[index] ?? expense('none')

describe('a selection', () => {
  it('grows and shrinks by rows', () => {
    const selection = useSelection(shallowRef(viewOf(rows)), vi.fn())
    selection.toggle(at(0))
    selection.toggle(at(1))
    selection.toggle(at(0))
    expect([...selection.picked.value.keys()]).toEqual(['d'])
    expect(moneyOf(selection.totals.value)).toEqual([{ amount: '2.00', currency: 'EUR' }])
  })

  it('reaches from the row that was picked last, in both directions', () => {
    const selection = useSelection(shallowRef(viewOf(rows)), vi.fn())
    selection.toggle(at(3))
    selection.extendTo(at(1))
    expect([...selection.picked.value.keys()].sort()).toEqual(['b', 'c', 'd'])
    selection.extendTo(at(4))
    expect(selection.size.value).toBe(4)
  })

  it('follows the rows: those that are gone are no longer in it, others as they are now', async () => {
    const view = shallowRef(viewOf(rows))
    const selection = useSelection(view, vi.fn())
    selection.all()
    view.value = viewOf([expense('e', { amount: '7.00' }), at(1)])
    await nextTick()
    expect(moneyOf(selection.totals.value)).toEqual([{ amount: '9.00', currency: 'EUR' }])
  })

  it('ends with the rows of a filter, though the next brings some of them again', () => {
    const view = shallowRef(viewOf(rows))
    const selection = useSelection(view, vi.fn())
    selection.all()
    view.value = viewOf([])
    view.value = viewOf(rows)
    expect(selection.size.value).toBe(0)
    selection.extendTo(at(2))
    expect(selection.size.value).toBe(1)
  })

  it('has a bound, and says so', () => {
    const onBound = vi.fn()
    const many = Array.from({ length: MAX_SELECTED + 100 }, (_, index) => expense(`e${index}`))
    const selection = useSelection(shallowRef(viewOf(many)), onBound)
    selection.all()
    expect(selection.size.value).toBe(MAX_SELECTED)
    expect(onBound).toHaveBeenCalledOnce()
  })
})
