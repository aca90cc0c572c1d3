/** What could be meant by the word that is being typed. */
import { fold } from '@/format/fold'
import { canonicalOperator, OPERATORS, type Operator } from './operators'
import type { NamedCategory } from './query'
import type { Span } from './syntax'
import { tokens } from './tokens'
import { writeTerm } from './write'

/** Most that are shown. */
const MAX_SHOWN = 8

/** Values of `date:` and `amount:` that show what is possible; their explanations are in `filter.example`. */
export const DATE_EXAMPLES = ['today', 'week', 'month', 'last-month', 'year', 'last-year', 'last-30d', 'last-12m'] as const
export const AMOUNT_EXAMPLES = { more: '>50', most: '<=20', between: '10..20', refunds: '<0' } as const
type AmountExample = keyof typeof AMOUNT_EXAMPLES

export interface TermSuggestion {
  key: string
  /** What takes the place of the word. */
  insert: string
  operator: Operator
  /** What it is about: a category, or the key of an explanation. */
  category?: NamedCategory | null
  explained?: { operator: Operator } | { date: (typeof DATE_EXAMPLES)[number] } | { amount: AmountExample }
}

export interface Known {
  categories: readonly NamedCategory[]
  /** The most used first. */
  tags: readonly string[]
  currencies: readonly string[]
}

/** The word that is being typed, and what it could become. */
export function suggestTerms(text: string, caret: number, known: Known): { at: Span; suggestions: TermSuggestion[] } {
  const word = tokens(text).find((token) => token.type === 'word' && token.from < caret && caret <= token.to)
  if (word?.type !== 'word') return { at: { from: caret, to: caret }, suggestions: operators('') }
  const operator = word.prefix === null ? null : canonicalOperator(word.prefix)
  if (operator) return { at: word, suggestions: bounded(values(operator, word.value, known), text.slice(word.from, word.to)) }
  if (word.prefix !== null) return { at: word, suggestions: operators(word.prefix) }
  const all = [
    ...operators(word.value),
    ...categories(word.value, known.categories, beginning),
    ...tags(word.value, known.tags, beginning),
  ]
  return { at: word, suggestions: bounded(all, text.slice(word.from, word.to)) }
}

function values(operator: Operator, value: string, known: Known): TermSuggestion[] {
  switch (operator) {
    case 'cat':
      return [
        ...categories(value, known.categories, containing),
        ...('none'.startsWith(fold(value)) ? [{ key: 'cat:none', insert: 'cat:none', operator, category: null }] : []),
      ]
    case 'tag':
      return tags(value, known.tags, containing)
    case 'currency':
      return plain(operator, known.currencies.filter((code) => beginning(code, value)))
    case 'date':
      return DATE_EXAMPLES.filter((date) => date.startsWith(value.toLowerCase())).map((date) => ({
        ...one('date', date),
        explained: { date },
      }))
    case 'amount':
      return value === '' ? AMOUNTS.map(([amount, example]) => ({ ...one('amount', example), explained: { amount } })) : []
    case 'text':
      return []
  }
}

const AMOUNTS = Object.entries(AMOUNT_EXAMPLES) as [AmountExample, string][]

function operators(begun: string): TermSuggestion[] {
  return OPERATORS.filter((operator) => operator !== 'text' && operator.startsWith(begun.toLowerCase())).map((operator) => ({
    key: `${operator}:`,
    insert: `${operator}:`,
    operator,
    explained: { operator },
  }))
}

type Fits = (name: string, typed: string) => boolean
const beginning: Fits = (name, typed) => typed !== '' && fold(name).startsWith(fold(typed))
const containing: Fits = (name, typed) => fold(name).includes(fold(typed))

function categories(typed: string, all: readonly NamedCategory[], fits: Fits): TermSuggestion[] {
  return all
    .filter(({ name }) => fits(name, typed))
    .map((category) => ({ key: category.id, insert: writeTerm('cat', category.name), operator: 'cat', category }))
}

function tags(typed: string, all: readonly string[], fits: Fits): TermSuggestion[] {
  return plain('tag', all.filter((tag) => fits(tag, typed)))
}

function plain(operator: Operator, found: readonly string[]): TermSuggestion[] {
  return found.map((value) => one(operator, value))
}

function one(operator: Operator, value: string): TermSuggestion {
  const insert = writeTerm(operator, value)
  return { key: insert, insert, operator }
}

/** Without what is there already. */
function bounded(all: readonly TermSuggestion[], typed: string): TermSuggestion[] {
  return all.filter(({ insert }) => insert !== typed).slice(0, MAX_SHOWN)
}
