/**
 * The layout of our own files: what `threefold sample` and the page's export write, and `threefold import` reads. Dates
 * are written 2026-11-22, amounts 12.50, tags with semicolons between them.
 */
import { fold } from '@/format/fold'

export const OWN_COLUMNS = ['date', 'description', 'amount', 'currency', 'category', 'notes', 'tags'] as const
export type OwnColumn = (typeof OWN_COLUMNS)[number]

const REQUIRED: readonly OwnColumn[] = ['date', 'description', 'amount', 'currency']

/** True for a header line of our own layout: it names all that is required, and each name once. */
export function isOwnLayout(header: readonly string[]): boolean {
  const names = header.map((name) => fold(name.trim()))
  return (
    REQUIRED.every((name) => names.includes(name)) &&
    OWN_COLUMNS.every((name) => names.indexOf(name) === names.lastIndexOf(name)) &&
    // A column of another name is another program's.
    names.every((name) => OWN_COLUMNS.some((own) => own === name))
  )
}

/**
 * What the tags of a field are. A tag that has a semicolon in it cannot be told from two here; JSON keeps such tags.
 */
export function splitTags(text: string, separator: string): string[] {
  return [...new Set(text.split(separator).map((tag) => tag.trim()).filter(Boolean))]
}

/** Texts that spreadsheets would take for a formula, with any number of apostrophes before it. */
const FORMULA = /^'*[=+\-@\t\r]/
const GUARDED = /^'+[=+\-@\t\r]/

/**
 * Guards a text against being run as a formula by a spreadsheet, with the apostrophe that spreadsheets know as the sign
 * of plain text. One apostrophe more is written before every text that begins like a formula, also where apostrophes
 * stand before it already, so that `unguard` gives back exactly what was.
 */
export function guard(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}

/** What `guard` was given. */
export function unguard(text: string): string {
  return GUARDED.test(text) ? text.slice(1) : text
}
