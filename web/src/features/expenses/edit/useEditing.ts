/** The row that is edited, and edits that met another person's. */
import { onScopeDispose, reactive, shallowRef } from 'vue'
import { showToast } from '@/components/toasts'
import { i18n } from '@/i18n'
import type { Expense } from '@/feed/expense'
import { ExpenseFields } from '@/feed/fields'
import { readFragment } from '@/graphql/generated'
import type { Entry } from '@/outbox/entry'
import { useServices } from '@/services'
import { ExpenseQuery } from '../list/queries'
import { moneyFrom, refusedAddOf, refusedOf } from '../list/overlay'
import { changesOf, draftOf, errorOf, type Draft, type UpdateInput } from './draft'

export interface Editing {
  /** The expense as it was when the edit began. */
  readonly base: Expense
  readonly draft: Draft
  /** The refused entry that this is to take the place of. */
  readonly refused: Entry | null
}

export interface Conflict {
  /** What the person wanted. */
  readonly input: UpdateInput
  /** The expense as it is now. */
  readonly theirs: Expense
  /** The entry that was refused, if it came so far. */
  readonly key: string | null
}

export interface EditingOptions {
  /** Adds what was refused before, with the same id. */
  add: (id: string, draft: Draft) => boolean
  update: (input: UpdateInput) => boolean
  restore: (rows: readonly Expense[]) => void
  /** The expense as it is now, where it is in the list. */
  current: (id: string) => Expense | null
  /** What was refused before and no row tells of. */
  untold?: () => readonly Entry[]
}

export function useEditing({ add, update, restore, current, untold }: EditingOptions) {
  const { client, outbox } = useServices()
  const editing = shallowRef<Editing | null>(null)
  const conflict = shallowRef<Conflict | null>(null)

  /** Begins to edit a row, or what was refused of it. What was edited before is saved, if it can be. */
  function start(row: Expense, refused: Entry | null = null): boolean {
    const now = editing.value
    if (now?.base.id === row.id && (!refused || now.refused?.key === refused.key)) return true
    if (now && !save()) return false
    const draft = draftOf(row)
    // What was changed before the addition was refused is refused with it, and belongs to it.
    const lost = refused?.command.kind === 'add' ? refusedOf(outbox.entries, row.id) : refused ? [refused] : []
    for (const { command } of lost) if (command.kind === 'update') Object.assign(draft, draftPart(command.input))
    editing.value = { base: row, draft: reactive(draft), refused }
    return true
  }

  /** False where something is missing. */
  function save(): boolean {
    const now = editing.value
    if (!now) return true
    if (errorOf(now.draft)) return false
    // Its addition may have been refused since: what does not exist cannot be changed.
    const lost = refusedAddOf(outbox.entries, now.base.id) ? refusedOf(outbox.entries, now.base.id) : []
    const adds = lost.length > 0 || now.refused?.command.kind === 'add'
    if (!(adds ? add(now.base.id, now.draft) : change(now))) return false
    for (const { key } of now.refused ? [...lost, now.refused] : lost) outbox.dismiss(key)
    editing.value = null
    return true
  }

  function change({ base, draft }: Editing): boolean {
    const input = changesOf(base, draft)
    if (!input) return true
    // Until both versions are looked at, the edit stays as it is.
    return !meets(base, input) && update(input)
  }

  /** Shows both versions where another person's is known already; true where it is. */
  function meets(base: Expense, input: UpdateInput): boolean {
    const theirs = current(base.id)
    if (!theirs || theirs.version <= base.version) return false
    conflict.value = { input, theirs, key: null }
    return true
  }

  /** Shows what was refused beside what is there now. */
  async function compare(entry: Entry) {
    if (entry.command.kind !== 'update') return
    const { input } = entry.command
    // Nobody else has a part in it: its own addition was refused, and waits to be corrected with this.
    if (refusedAddOf(outbox.entries, input.id)) return
    const { data } = await client.query(ExpenseQuery, { id: input.id }).toPromise()
    if (conflict.value || !data) return
    const theirs = readFragment(ExpenseFields, data.expense ?? null)
    if (theirs) conflict.value = { input: { ...input }, theirs, key: entry.key }
    else {
      showToast(i18n.global.t('expenses.conflict.missing'), { tone: 'bad' })
      outbox.dismiss(entry.key)
    }
  }

  /** Saves what was chosen; null: theirs as it stands. */
  function resolve(input: UpdateInput | null) {
    const now = conflict.value
    if (!now) return
    const gone = now.theirs.deletedAt !== null
    if (input && gone) restore([now.theirs])
    // A restoration counts as a version of its own.
    const taken = !input || update(gone ? { ...input, expectedVersion: now.theirs.version + 1 } : input)
    if (!taken) return
    if (now.key) outbox.dismiss(now.key)
    else editing.value = null
    conflict.value = null
  }

  for (const entry of untold?.() ?? []) {
    if (!isConflict(entry)) continue
    const action = { label: i18n.global.t('expenses.row.compare'), run: () => void compare(entry) }
    showToast(i18n.global.t('expenses.row.conflict'), { tone: 'bad', action })
  }

  onScopeDispose(
    outbox.onSettled((entry) => {
      if (isConflict(entry) && !conflict.value) void compare(entry)
    }),
  )

  return {
    editing,
    conflict,
    start,
    save,
    compare,
    resolve,
    cancel() {
      editing.value = null
    },
    /** Leaves the edit, or the refused entry, at its row. */
    later() {
      conflict.value = null
    },
  }
}

/** True for an edit of something that another person has changed, or deleted. */
export function isConflict({ state, command, errors }: Entry): boolean {
  const codes = errors.map(({ code }) => code)
  return state === 'refused' && command.kind === 'update' && (codes.includes('VERSION_CONFLICT') || codes.includes('NOT_FOUND'))
}

/** The part of a draft that an update sets. */
function draftPart(input: UpdateInput): Partial<Draft> {
  const part: Partial<Draft> = {}
  if (input.description != null) part.description = input.description
  if (input.currency != null) part.currency = input.currency
  if (input.amount != null) part.amount = input.currency ? moneyFrom(input.amount, input.currency).amount : input.amount
  if (input.spentOn != null) part.spentOn = input.spentOn
  if (input.categoryId !== undefined) part.categoryId = input.categoryId ?? null
  if (input.tags !== undefined) part.tags = [...(input.tags ?? [])]
  if (input.notes !== undefined) part.notes = input.notes ?? ''
  return part
}
