/** The file of an import, cut into records, and where its table stands. */
import { computed, ref, shallowRef } from 'vue'
import { MAX_FILE_BYTES, MAX_ROWS } from '../limits'
import { decode, type Encoding } from '../parse/decode'
import { detectDelimiter, type Delimiter } from '../parse/delimiter'
import { records as recordsOf, type CsvRecord } from '../parse/records'
import { inSlices } from '../parse/slices'
import { columnNames, detectLayout, layoutWith, type Layout } from '../parse/table'
import { hashFile } from './keys'
import { createLatest } from './latest'

/** Why a file is no use. */
export type FileFault = 'tooLarge' | 'tooManyRows' | 'empty' | 'unreadable'

/** What a person gives: a file, or pasted text. */
export interface Given {
  name: string
  size: number
  bytes: () => Promise<Uint8Array>
}

export interface ImportFile {
  name: string
  size: number
  hash: Uint8Array
  text: string
  encoding: Encoding
}

export type Source = ReturnType<typeof createSource>

/** `onTable` is told whenever there is a new table to make sense of. */
export function createSource(onTable: () => void) {
  const file = shallowRef<ImportFile | null>(null)
  const fault = ref<FileFault | null>(null)
  const reading = ref(false)
  const delimiter = ref<Delimiter>(',')
  const records = shallowRef<CsvRecord[]>([])
  const layout = shallowRef<Layout>({ header: null, first: 0, width: 0 })
  const names = computed(() => columnNames(records.value, layout.value))
  const latest = createLatest()

  function choose(given: Given): Promise<void> {
    clear()
    if (given.size > MAX_FILE_BYTES) {
      fault.value = 'tooLarge'
      return Promise.resolve()
    }
    return latest.begin(async (signal) => {
      reading.value = true
      try {
        const bytes = await given.bytes()
        signal.throwIfAborted()
        const chosen = { name: given.name, size: given.size, hash: await hashFile(bytes, signal), ...decode(bytes) }
        delimiter.value = detectDelimiter(chosen.text)
        await split(chosen, signal)
      } catch {
        if (!signal.aborted) fault.value = 'unreadable'
      } finally {
        if (!signal.aborted) reading.value = false
      }
    })
  }

  async function split(chosen: ImportFile, signal: AbortSignal) {
    const found: CsvRecord[] = []
    await inSlices(
      recordsOf(chosen.text, delimiter.value),
      (record) => {
        if (found.length <= MAX_ROWS + 1) found.push(record)
      },
      signal,
    )
    // The names of the columns are no row.
    if (found.length > MAX_ROWS + 1) fault.value = 'tooManyRows'
    else if (found.length === 0) fault.value = 'empty'
    else {
      records.value = found
      layout.value = detectLayout(found)
      file.value = chosen
      onTable()
    }
  }

  function separateBy(character: Delimiter) {
    const { value: chosen } = file
    if (!chosen) return
    delimiter.value = character
    void latest.begin((signal) => split(chosen, signal))
  }

  function nameColumnsBy(header: number | null) {
    layout.value = layoutWith(records.value, header)
    onTable()
  }

  function clear() {
    latest.stop()
    file.value = null
    fault.value = null
    reading.value = false
    records.value = []
  }

  return { file, fault, reading, delimiter, records, layout, names, choose, separateBy, nameColumnsBy, clear }
}
