/** What separates the fields of a file. */
import Papa from 'papaparse'
import { fold } from '@/format/fold'
import { OWN_COLUMNS } from './own-layout'

export const DELIMITERS = [',', ';', '\t'] as const
export type Delimiter = (typeof DELIMITERS)[number]

/** Characters that are looked at. */
const SAMPLE = 64 * 1024
/** Lines that are compared. */
const LINES = 100

/**
 * The delimiter under which the first line names most of our own columns, as in `threefold import`; where it names
 * none, the one under which the lines are most alike.
 */
export function detectDelimiter(text: string): Delimiter {
  const head = text.slice(0, SAMPLE)
  const first = head.split('\n').find((line) => line.trim() !== '') ?? ''
  const known = (delimiter: Delimiter) =>
    first.split(delimiter).filter((name) => OWN_COLUMNS.some((own) => own === fold(name.replaceAll('"', '').trim()))).length
  const named = DELIMITERS.map((delimiter) => ({ delimiter, count: known(delimiter) })).sort((a, b) => b.count - a.count)
  if (named[0] && named[0].count > 1) return named[0].delimiter
  const { meta } = Papa.parse(head, { preview: LINES, delimitersToGuess: [...DELIMITERS] })
  return DELIMITERS.find((delimiter) => delimiter === meta.delimiter) ?? ','
}
