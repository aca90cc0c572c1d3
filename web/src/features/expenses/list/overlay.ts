/**
 * What the person did, laid over what the replicas are known to have: shown at once, and gone without a trace when
 * the feed brings the same.
 */
import type { Expense } from '@/feed/expense'
import { isAfter } from '@/feed/feed'
import { decimalsOf, fromMinor, toMinor } from '@/format/money'
import type { Command, Entry } from '@/outbox/entry'
import { merge, reaches, type Loaded, type Terms } from './loaded'
import type { Effect } from './totals'

export interface Overlaid {
  readonly rows: readonly Expense[]
  /** The newest entry of each expense that has one. */
  readonly marks: ReadonlyMap<string, Entry>
  /** What the entries do to the list, for its totals. */
  readonly effects: readonly Effect[]
}

export const NO_MARKS: ReadonlyMap<string, Entry> = new Map()

export function overlay(loaded: Loaded, entries: readonly Entry[], terms: Terms): Overlaid {
  if (entries.length === 0) return { rows: loaded.rows, marks: NO_MARKS, effects: [] }
  const marks = new Map<string, Entry>()
  const open = entries.filter((entry) => isOpen(entry, loaded))
  for (const entry of entries) marks.set(entry.command.input.id, entry)
  if (open.length === 0) return { rows: loaded.rows, marks, effects: [] }

  const meant = new Set(open.map(({ command }) => command.input.id))
  const before = new Map<string, Expense>()
  for (const row of loaded.rows) if (meant.has(row.id)) before.set(row.id, row)

  const after = new Map<string, Expense>()
  for (const entry of open) {
    const { id } = entry.command.input
    const expense = outcomeOf(entry, after.get(id) ?? before.get(id) ?? deletedBefore(entry, entries), terms)
    if (expense) after.set(id, expense)
  }

  const kept = loaded.rows.filter(({ id }) => !after.has(id))
  const shown: Expense[] = []
  const effects: Effect[] = []
  for (const [id, expense] of after) {
    const accepted = terms.accepts(expense)
    if (accepted && reaches(loaded, expense)) shown.push(expense)
    const refused = marks.get(id)?.state === 'refused'
    effects.push({ before: before.get(id) ?? null, after: accepted && !refused ? expense : null })
  }
  return { rows: merge(kept, shown), marks, effects }
}

/** The newest addition of that expense that was refused: the expense is in the list, and nowhere else. */
export function refusedAddOf(entries: readonly Entry[], id: string): Entry | null {
  return refusedOf(entries, id).findLast(({ command }) => command.kind === 'add') ?? null
}

/** Everything that was refused of that expense, oldest first. */
export function refusedOf(entries: readonly Entry[], id: string): Entry[] {
  return entries.filter(({ command, state }) => state === 'refused' && command.input.id === id)
}

/** Refused changes of expenses that no row tells of: theirs is not shown, or tells of something newer. */
export function untold(entries: readonly Entry[], isShown: (id: string) => boolean): Entry[] {
  const refused = entries.filter(({ command, state }) => state === 'refused' && command.kind !== 'add')
  if (refused.length === 0) return []
  const newest = new Map(entries.map(({ key, command }) => [command.input.id, key]))
  return refused.filter(({ key, command: { input } }) => newest.get(input.id) !== key || !isShown(input.id))
}

/** True where the rows do not have it yet. A refused addition stays to be seen; other refusals leave the row as it is. */
function isOpen(entry: Entry, loaded: Loaded): boolean {
  if (entry.state === 'refused') return entry.command.kind === 'add'
  if (entry.state !== 'stored') return true
  return entry.receipt !== null && isAfter(entry.receipt.revision, loaded.revision)
}

/** What a restoration brings back, where the rows have lost it: the expense as it was deleted here; null for others. */
function deletedBefore({ command: { kind, input } }: Entry, entries: readonly Entry[]): Expense | null {
  if (kind !== 'restore') return null
  const deletion = entries.findLast(
    ({ command, expense }) => command.kind === 'delete' && command.input.id === input.id && expense !== null,
  )
  return deletion?.expense ?? null
}

/** The expense as it is once the entry is stored; null where that cannot be known. */
function outcomeOf({ command, at, expense }: Entry, base: Expense | null, terms: Terms): Expense | null {
  if (expense) return expense
  if (command.kind === 'add') return added(command.input, at, terms)
  if (!base) return null
  const version = base.version + 1
  switch (command.kind) {
    case 'update': {
      const expected = command.input.expectedVersion ?? base.version
      // It is in the row already, though its answer was lost; or it is too late, and will be refused.
      if (base.version > expected) return base
      return { ...patched(base, command.input, terms), version: expected + 1 }
    }
    case 'delete':
      return { ...base, version, deletedAt: new Date(at).toISOString() }
    case 'restore':
      return { ...base, version, deletedAt: null }
  }
}

function added(input: Extract<Command, { kind: 'add' }>['input'], at: number, terms: Terms): Expense {
  const instant = new Date(at).toISOString()
  return {
    id: input.id,
    description: input.description,
    amount: moneyFrom(input.amount, input.currency),
    spentOn: input.spentOn,
    category: input.categoryId ? terms.category(input.categoryId) : null,
    notes: input.notes ?? null,
    tags: input.tags ?? [],
    createdAt: instant,
    updatedAt: instant,
    version: 1,
    revision: '0',
    deletedAt: null,
  }
}

/** The expense with the fields that an edit changes. */
export function patched(
  base: Expense,
  input: Extract<Command, { kind: 'update' }>['input'],
  { category }: Pick<Terms, 'category'>,
): Expense {
  return {
    ...base,
    description: input.description ?? base.description,
    amount: moneyFrom(input.amount ?? base.amount.amount, input.currency ?? base.amount.currency),
    spentOn: input.spentOn ?? base.spentOn,
    category: input.categoryId === undefined ? base.category : input.categoryId === null ? null : category(input.categoryId),
    notes: input.notes === undefined ? base.notes : input.notes,
    tags: input.tags === undefined ? base.tags : (input.tags ?? []),
  }
}

/** Money as the API writes it: with all of the currency's decimals. */
export function moneyFrom(amount: string, currency: string): Expense['amount'] {
  const decimals = decimalsOf(currency)
  const minor = toMinor(amount, decimals)
  // What the currency has no room for the replicas refuse; until they do, it shows as it was typed.
  if (minor === null) return { amount, currency, minorUnits: '0' }
  return { amount: fromMinor(minor, decimals), currency, minorUnits: minor.toString() }
}
