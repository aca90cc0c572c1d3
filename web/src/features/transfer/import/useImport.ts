/** The import that is on its way in this page: it goes on while the person looks at other pages. */
import { computed, effectScope, reactive, ref, shallowReactive, shallowRef, watch } from 'vue'
import { locale } from '@/format/locale'
import { useServices, type Services } from '@/services'
import { fold } from '@/format/fold'
import { rememberMapping, type Habits } from '../parse/mapping'
import type { Row } from '../parse/rows'
import type { NewCategory } from './categories'
import { compare, readExisting, type Comparison } from './existing'
import { createKeys, type Keys } from './keys'
import { createOperations, type Ledger } from './operations'
import { createPatience, type Patience } from './patience'
import { createReading, type Checked } from './reading'
import { createRun, namedCategories, type Run } from './run'
import { createSource, type Given } from './source'

export type Import = ReturnType<typeof createImport>

const imports = new WeakMap<Services, Import>()

/** The one import of the page. */
export function useImport(): Import {
  const services = useServices()
  let known = imports.get(services)
  if (!known) {
    const made = effectScope(true).run(() => createImport(services, storage()))
    if (!made) throw new Error('the scope has ended')
    imports.set(services, (known = made))
  }
  return known
}

export function createImport(
  { client, endpoints }: Pick<Services, 'client' | 'endpoints'>,
  store: Pick<Storage, 'getItem' | 'setItem'> | null,
) {
  const operations = createOperations(client)
  const source = createSource(() => reading.guess())
  const reading = createReading(source, { habits, storage: store }, (checked, signal) => compareWith(checked, signal))
  const ledger = shallowRef<Ledger | null>(null)
  const comparison = shallowRef<Comparison | null>(null)
  /** `incomplete`: there was too much to compare with. */
  const comparing = ref<'no' | 'yes' | 'incomplete'>('no')
  const run = shallowRef<Run | null>(null)
  const choices = reactive({ leaveOutAlike: true, restoreTrashed: false, createCategories: true })
  /** What becomes of names that no category has, by folded name; what is not here follows `createCategories`. */
  const newCategories = shallowReactive(new Map<string, NewCategory>())
  /** Ids of expenses by number of row: they depend on the file alone. */
  const ids = new Map<bigint, string>()
  let keys: Keys | null = null
  /** Waits for answers to reads. */
  let asking: Patience = createPatience()
  /** Hash of the file whose import was undone last. */
  let undone: string | null = null

  const rows = computed(() => reading.checked.value?.rows ?? [])
  const known = computed(() => new Map((ledger.value?.categories ?? []).map(({ id, name }) => [fold(name.trim()), id])))
  const unknownCategories = computed(() =>
    [...namedCategories(rows.value)]
      .filter(([folded]) => !known.value.has(folded))
      .map(([folded, found]) => ({ folded, ...found })),
  )
  const isThere = ({ number }: Row) => comparison.value?.there.has(number) ?? false
  const isTrashed = ({ number }: Row) => comparison.value?.trashed.has(number) ?? false
  const isAlike = ({ number }: Row) => comparison.value?.alike.has(number) ?? false
  /** Rows that are added, and rows that are brought back from the trash. */
  const wanted = computed(() => rows.value.filter((row) => !isThere(row) && !(choices.leaveOutAlike && isAlike(row))))
  const restored = computed(() => (choices.restoreTrashed ? rows.value.filter(isTrashed) : []))

  function habits(): Habits {
    return {
      american: locale.value === 'en-US',
      decimalMark: new Intl.NumberFormat(locale.value).format(1.5).includes(',') ? ',' : '.',
      currency: ledger.value?.baseCurrency ?? 'EUR',
    }
  }

  /** Takes a file. What was chosen before is forgotten. */
  async function choose(given: Given) {
    reset()
    await source.choose(given)
  }

  /** The ledger as it is now; its currency is the one of files that name none. */
  async function readLedger(): Promise<Ledger> {
    const guessed = habits().currency
    const found = await asking.insist(() => operations.ledger())
    ledger.value = found
    const { value: mapping } = reading.mapping
    if (mapping?.currency === guessed && found.baseCurrency !== guessed) reading.change({ currency: found.baseCurrency })
    return found
  }

  async function compareWith({ rows: checked }: Checked, signal: AbortSignal) {
    comparison.value = null
    comparing.value = checked.length > 0 ? 'yes' : 'no'
    const { value: file } = source.file
    if (!file || checked.length === 0) return
    const to = ledger.value ?? (await readLedger())
    signal.throwIfAborted()
    keys ??= createKeys(file.hash, to.id)
    const existing = await readExisting(operations, asking, daysOf(checked), signal)
    const compared = await compare(checked, idOf, existing, signal)
    signal.throwIfAborted()
    comparison.value = compared
    comparing.value = existing.complete ? 'no' : 'incomplete'
    // Whoever undoes an import and takes the same file again wants its rows back.
    if (undone === file.hash.join()) choices.restoreTrashed = true
  }

  function idOf({ number }: Row): string {
    let id = ids.get(number)
    if (id === undefined && keys) ids.set(number, (id = keys.expense(number)))
    return id ?? ''
  }

  function categoryChoice(folded: string): NewCategory {
    return newCategories.get(folded) ?? { action: choices.createCategories ? 'create' : 'none' }
  }

  function chooseCategory(folded: string, choice: NewCategory) {
    newCategories.set(folded, choice)
  }

  /** One choice for all of them, in place of those that were made. */
  function chooseForAll(create: boolean) {
    newCategories.clear()
    choices.createCategories = create
  }

  /** Sends what is wanted. */
  function begin() {
    const { value: mapping } = reading.mapping
    if (!keys || !ledger.value || !mapping) return
    rememberMapping(store, source.names.value, mapping)
    const categoryIds = new Map(known.value)
    const create = new Map<string, string>()
    for (const { folded, name } of unknownCategories.value) {
      const choice = categoryChoice(folded)
      if (choice.action === 'use') categoryIds.set(folded, choice.id)
      if (choice.action === 'create') create.set(folded, name)
    }
    const { value: records } = source.records
    const begun = createRun(
      {
        keys,
        ledgerId: ledger.value.id,
        rows: wanted.value,
        restore: restored.value,
        there: rows.value.filter(isThere).length - restored.value.length,
        categoryIds,
        create,
        // What was cancelled or failed is gone on with. What was undone begins anew.
        addedBefore: run.value && run.value.state.phase !== 'undone' ? [...run.value.addedIds()] : [],
        fieldsOf: ({ number }) => records[Number(number + 1n)]?.fields ?? [],
      },
      operations,
    )
    run.value = begun
    return begun.start()
  }

  async function undo() {
    undone = source.file.value?.hash.join() ?? null
    await run.value?.undo()
  }

  function reset() {
    asking.cancel()
    asking = createPatience()
    source.clear()
    reading.clear()
    comparison.value = null
    comparing.value = 'no'
    run.value = null
    keys = null
    ids.clear()
    newCategories.clear()
    Object.assign(choices, { leaveOutAlike: true, restoreTrashed: false, createCategories: true })
  }

  // What stands still goes on by itself when a replica answers again.
  watch(
    () => endpoints.state.reachability,
    (reachability) => {
      if (reachability !== 'online') return
      asking.goOn()
      run.value?.again()
    },
  )

  return {
    source,
    reading,
    ledger,
    comparison,
    comparing,
    run,
    choices,
    unknownCategories,
    rows,
    wanted,
    restored,
    isThere,
    isTrashed,
    isAlike,
    choose,
    categoryChoice,
    chooseCategory,
    chooseForAll,
    begin,
    undo,
    reset,
  }
}

function daysOf(rows: readonly Row[]): { from: string; to: string } {
  let from = rows[0]?.spentOn ?? ''
  let to = from
  for (const { spentOn } of rows) {
    if (spentOn < from) from = spentOn
    if (spentOn > to) to = spentOn
  }
  return { from, to }
}

function storage(): Storage | null {
  try {
    return localStorage
  } catch {
    return null
  }
}
