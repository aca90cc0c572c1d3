import { describe, expect, it, vi } from 'vitest'
import type { Row } from '../parse/rows'
import { createKeys } from './keys'
import type { Operations, Outcome } from './operations'
import { createRun, namedCategories, type Plan } from './run'

const LEDGER = '00000000-0000-0000-0000-000000000001'
const DONE: Outcome = { errors: [] }

function row(number: number, category: string | null = null): Row {
  return { number: BigInt(number), line: number + 2, spentOn: '2026-01-01', description: 'x', amount: '1.00', currency: 'EUR', category, notes: null, tags: [] }
}

function planOf(rows: Row[], further: Partial<Plan> = {}): Plan {
  const keys = createKeys(new Uint8Array(32), LEDGER)
  return { keys, ledgerId: LEDGER, rows, restore: [], there: 0, categoryIds: new Map(), create: new Map(), fieldsOf: () => [], ...further }
}

function operationsOf(further: Partial<Operations> = {}): Operations {
  return {
    ledger: vi.fn(() => Promise.resolve({ id: LEDGER, baseCurrency: 'EUR', categories: [] })),
    outcome: vi.fn(() => Promise.resolve(null)),
    addExpenses: vi.fn(() => Promise.resolve(DONE)),
    addCategory: vi.fn(() => Promise.resolve(DONE)),
    deleteExpense: vi.fn(() => Promise.resolve(DONE)),
    restoreExpense: vi.fn(() => Promise.resolve(DONE)),
    updateExpense: vi.fn(() => Promise.resolve(DONE)),
    existing: vi.fn(() => Promise.resolve({ nodes: [], next: null })),
    ...further,
  }
}

describe('an import', () => {
  it('adds categories first, under the ids that every import gives them', async () => {
    const operations = operationsOf()
    const plan = planOf([row(0, 'Food')], { create: new Map([['food', 'Food']]) })
    const run = createRun(plan, operations)
    await run.start()
    const id = plan.keys.category('food', 'shared')
    expect(operations.addCategory).toHaveBeenCalledWith(expect.objectContaining({ id, name: 'Food', ledgerId: LEDGER }))
    expect(vi.mocked(operations.addExpenses).mock.calls[0]?.[2]).toEqual([expect.objectContaining({ categoryId: id })])
    expect(run.state).toMatchObject({ phase: 'added', added: 1, settled: 1, total: 1 })
  })

  it('takes an id of its own for a category whose id is taken', async () => {
    const plan = planOf([row(0, 'Food')], { create: new Map([['food', 'Food']]) })
    const shared = plan.keys.category('food', 'shared')
    const operations = operationsOf({
      addCategory: vi.fn(({ id }) =>
        Promise.resolve<Outcome>(id === shared ? { errors: [{ code: 'ALREADY_EXISTS', message: 'taken', field: ['input', 'id'] }] } : DONE),
      ),
    })
    await createRun(plan, operations).start()
    const own = plan.keys.category('food', 'own')
    expect(vi.mocked(operations.addExpenses).mock.calls[0]?.[2]).toEqual([expect.objectContaining({ categoryId: own })])
  })

  it('brings rows back from the trash as the file has them', async () => {
    const operations = operationsOf()
    const plan = planOf([], { restore: [row(3)] })
    const run = createRun(plan, operations)
    await run.start()
    const id = plan.keys.expense(3n)
    expect(operations.restoreExpense).toHaveBeenCalledWith(expect.any(String), id)
    expect(operations.updateExpense).toHaveBeenCalledWith(expect.objectContaining({ id, amount: '1.00' }))
    expect(run.state).toMatchObject({ restored: 1, settled: 1 })
  })

  it('is undone exactly, a few expenses at the same time', async () => {
    let open = 0
    let most = 0
    const operations = operationsOf({
      deleteExpense: vi.fn(async () => {
        most = Math.max(most, (open += 1))
        await Promise.resolve()
        open -= 1
        return DONE
      }),
    })
    const plan = planOf(Array.from({ length: 20 }, (_, number) => row(number)), { there: 5 })
    const run = createRun(plan, operations)
    await run.start()
    await run.undo()
    const deleted = vi.mocked(operations.deleteExpense).mock.calls
    expect(deleted.map(([, id]) => id)).toEqual(plan.rows.map(({ number }) => plan.keys.expense(number)))
    expect(new Set(deleted.map(([key]) => key)).size).toBe(20)
    expect(most).toBe(6)
    expect(run.state).toMatchObject({ phase: 'undone', undone: 20, there: 5 })
  })

  it('ends between chunks where it is cancelled, and can be undone then', async () => {
    const operations = operationsOf()
    const plan = planOf(Array.from({ length: 1200 }, (_, number) => row(number)))
    const run = createRun(plan, operations)
    vi.mocked(operations.addExpenses).mockImplementation(() => {
      run.cancel()
      return Promise.resolve(DONE)
    })
    await run.start()
    expect(run.state).toMatchObject({ phase: 'cancelled', added: 500, total: 1200 })
    await run.undo()
    expect(run.state).toMatchObject({ phase: 'undone', undone: 500 })
  })
})

describe('the categories of a file', () => {
  it('are the same in any case and without accents', () => {
    const found = namedCategories([row(0, 'Café'), row(1, 'CAFE'), row(2), row(3, 'Food')])
    expect([...found]).toEqual([
      ['cafe', { name: 'Café', count: 2 }],
      ['food', { name: 'Food', count: 1 }],
    ])
  })
})
