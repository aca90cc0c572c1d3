import type { Client } from '@urql/core'
import { describe, expect, it, vi } from 'vitest'
import { reactive } from 'vue'
import type { Services } from '@/services'
import { givenText } from '../given'
import { createImport } from './useImport'

/** A ledger that has no expenses, and takes everything. */
function services() {
  const answers: Record<string, unknown> = {
    ledgers: [{ id: '00000000-0000-0000-0000-000000000001', baseCurrency: 'CHF' }],
    categories: [{ id: 'c1', name: 'Food' }],
    expenses: { nodes: [], pageInfo: { hasNextPage: false, endCursor: null } },
    outcome: null,
  }
  const mutation = vi.fn((..._: [document: unknown, variables: { input: { expenses: unknown[] } }]) => ({
    toPromise: () => Promise.resolve({ data: { payload: { receipt: { revision: '1' }, userErrors: [] } } }),
  }))
  const client = { query: () => ({ toPromise: () => Promise.resolve({ data: answers }) }), mutation }
  const endpoints = { state: reactive({ reachability: 'online' }) }
  return { mutation, given: { client: client as unknown as Client, endpoints: endpoints as unknown as Services['endpoints'] } }
}

async function chosen(text: string) {
  const { mutation, given } = services()
  const session = createImport(given, null)
  await session.choose(givenText(text, 'pasted'))
  const settled = () => vi.waitFor(() => expect([session.reading.checked.value, session.comparing.value]).toEqual([expect.anything(), 'no']))
  await settled()
  await vi.waitFor(() => expect(session.comparison.value).not.toBeNull())
  return { session, mutation, settled }
}

const BANK = 'Datum;Text;Betrag;Kategorie\n13.01.2026;Kiosk;-5,00;food\n14.01.2026;Garten;-7,50;Garten\n15.01.2026;x;viel;\n'

describe('an import', () => {
  it('guesses what a bank writes, in the currency of the ledger', async () => {
    const { session } = await chosen(BANK)
    await vi.waitFor(() => expect(session.rows.value[0]).toMatchObject({ spentOn: '2026-01-13', amount: '5.00', currency: 'CHF' }))
    expect(session.reading.checked.value?.faults).toMatchObject([{ line: 4, code: 'notANumber' }])
    expect(session.unknownCategories.value).toEqual([{ folded: 'garten', name: 'Garten', count: 1 }])
  })

  it('sends what is right, with the categories that the person has chosen', async () => {
    const { session, mutation } = await chosen(BANK)
    await vi.waitFor(() => expect(session.rows.value[0]?.currency).toBe('CHF'))
    await vi.waitFor(() => expect(session.comparison.value).not.toBeNull())
    session.chooseCategory('garten', { action: 'use', id: 'c1' })
    await session.begin()
    expect(mutation).toHaveBeenCalledTimes(1)
    expect(mutation.mock.calls[0]?.[1].input.expenses).toMatchObject([
      { description: 'Kiosk', categoryId: 'c1' },
      { description: 'Garten', categoryId: 'c1' },
    ])
    expect(session.run.value?.state).toMatchObject({ phase: 'added', added: 2 })
  })

  it('reads every row again when a column changes', async () => {
    const { session } = await chosen(BANK)
    session.reading.change({ columns: { ...session.reading.mapping.value?.columns, description: 3 } })
    await vi.waitFor(() => expect(session.rows.value[0]?.description).toBe('food'))
  })

  it('says why a file is no use', async () => {
    const session = createImport(services().given, null)
    await session.choose(givenText('\n\n', 'empty'))
    expect(session.source.fault.value).toBe('empty')
    await session.choose({ name: 'large', size: 60 * 1024 * 1024, bytes: () => Promise.reject(new Error('not asked')) })
    expect(session.source.fault.value).toBe('tooLarge')
    await session.choose({ name: 'gone', size: 1, bytes: () => Promise.reject(new Error('gone')) })
    expect(session.source.fault.value).toBe('unreadable')
  })
})
