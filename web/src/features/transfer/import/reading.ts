/** How the rows of a file are read, and what they become. */
import { ref, shallowRef } from 'vue'
import { findDoubts, guessMapping, NO_DOUBTS, recallMapping, type Doubts, type Habits, type Mapping } from '../parse/mapping'
import { isOwnLayout } from '../parse/own-layout'
import { isFault, readRow, type Fault, type Row } from '../parse/rows'
import { inSlices } from '../parse/slices'
import { createLatest } from './latest'
import type { Source } from './source'

/** Wait for further changes before the rows are read again, in milliseconds. */
const SETTLE = 150

export interface Checked {
  rows: Row[]
  faults: Fault[]
}

export type Reading = ReturnType<typeof createReading>

/** `onChecked` is told of the rows, whenever they are read. */
export function createReading(
  source: Pick<Source, 'records' | 'layout' | 'names'>,
  { habits, storage }: { habits: () => Habits; storage: Pick<Storage, 'getItem' | 'setItem'> | null },
  onChecked: (checked: Checked, signal: AbortSignal) => Promise<void>,
) {
  const mapping = shallowRef<Mapping | null>(null)
  const doubts = shallowRef<Doubts>(NO_DOUBTS)
  /** Why the person need not look at the columns: it is our own layout, or one that is remembered. */
  const certain = ref<'own' | 'remembered' | null>(null)
  const checked = shallowRef<Checked | null>(null)
  const latest = createLatest()
  let soon: ReturnType<typeof setTimeout> | undefined

  function guess() {
    const guessed = guessMapping(source.names.value, tableRows(), habits())
    const remembered = guessed.own ? null : recallMapping(storage, source.names.value)
    certain.value = guessed.own ? 'own' : remembered ? 'remembered' : null
    doubts.value = remembered ? NO_DOUBTS : guessed.doubts
    mapping.value = remembered ?? guessed.mapping
    checkIn(0)
  }

  function tableRows(): string[][] {
    return source.records.value.slice(source.layout.value.first).map(({ fields }) => fields)
  }

  /** Changes how the file is read. Where a column changes, what that leaves open is found out anew. */
  function change(to: Partial<Mapping>) {
    if (!mapping.value) return
    const changed = { ...mapping.value, ...to }
    if (to.columns) {
      doubts.value = findDoubts(to.columns, tableRows(), habits())
      const [likeliest] = doubts.value.dateOrders
      if (likeliest && !doubts.value.dateOrders.includes(changed.dateOrder)) changed.dateOrder = likeliest
    }
    mapping.value = changed
    checkIn(SETTLE)
  }

  function checkIn(milliseconds: number) {
    clearTimeout(soon)
    latest.stop()
    soon = setTimeout(() => void latest.begin(checkAll), milliseconds)
  }

  async function checkAll(signal: AbortSignal) {
    const { value: current } = mapping
    if (!current) return
    const found: Checked = { rows: [], faults: [] }
    const own = isOwnLayout(source.names.value)
    const { first, width } = source.layout.value
    await inSlices(
      source.records.value.slice(first),
      (record) => {
        const read = readRow(record, current, width, own)
        if (isFault(read)) found.faults.push(read)
        else found.rows.push(read)
      },
      signal,
    )
    checked.value = found
    await onChecked(found, signal)
  }

  function clear() {
    clearTimeout(soon)
    latest.stop()
    mapping.value = null
    checked.value = null
    certain.value = null
    doubts.value = NO_DOUBTS
  }

  return { mapping, doubts, certain, checked, guess, change, clear }
}
