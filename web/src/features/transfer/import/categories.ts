/** The categories that a file names. */
import { newId } from '@/outbox/id'
import { fold } from '@/format/fold'
import type { Keys } from './keys'
import type { Operations } from './operations'
import type { Patience } from './patience'

/** What the person wants for a name that no category has. */
export type NewCategory = { action: 'create' } | { action: 'none' } | { action: 'use'; id: string }

export interface Resolver {
  operations: Pick<Operations, 'ledger' | 'addCategory'>
  patience: Pick<Patience, 'insist'>
  keys: Keys
  ledgerId: string
}

/** Adds the categories with those names, by folded name; returns the ids of all that the ledger has then. */
export async function createCategories(resolver: Resolver, names: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const known = await knownCategories(resolver)
  for (const [folded, name] of names) {
    if (known.has(folded)) continue
    const id = await createCategory(resolver, folded, name)
    if (id) known.set(folded, id)
  }
  // What somebody else has added meanwhile under the same name is what was wanted.
  return [...names.keys()].every((folded) => known.has(folded)) ? known : knownCategories(resolver)
}

async function knownCategories({ operations, patience }: Resolver): Promise<Map<string, string>> {
  const { categories } = await patience.insist(() => operations.ledger())
  return new Map(categories.map(({ id, name }) => [fold(name.trim()), id]))
}

/** Returns its id; null where the name is taken or refused. */
async function createCategory({ operations, patience, keys, ledgerId }: Resolver, folded: string, name: string) {
  // The id that all files share, so that two imports at the same time add one category. A category of that id may have
  // been renamed since; the file then takes an id of its own.
  for (const id of [keys.category(folded, 'shared'), keys.category(folded, 'own'), newId()]) {
    const idempotencyKey = newId()
    const { errors } = await patience.insist(() => operations.addCategory({ idempotencyKey, id, ledgerId, name }))
    if (errors.length === 0) return id
    if (!errors.every(({ code, field }) => code === 'ALREADY_EXISTS' && field?.at(-1) === 'id')) return null
  }
  return null
}
