/** Queries as text: what chips, presets and links of other pages make of them. */
import type { RouteLocationRaw } from 'vue-router'
import type { CalendarDate, CalendarMonth } from '@/format/date'
import type { Operator } from './operators'
import { parseSyntax, topLevel, type Node, type Span, type SyntaxProblemCode } from './syntax'
import { isConnective, PREFIX, SPECIAL } from './tokens'

/** `tag:"Trip 2026"`: one term, quoted where it has to be. */
export function writeTerm(operator: Operator, value: string): string {
  if (operator !== 'text') return `${operator}:${quoted(value, SPECIAL.test(value) || value === '')}`
  return quoted(value, SPECIAL.test(value) || value.startsWith('-') || isConnective(value) || PREFIX.test(value))
}

/** A part of a query, as it is written best. */
export function writeNode(node: Node): string {
  switch (node.type) {
    case 'term':
      return writeTerm(node.operator, node.value)
    case 'not':
      return `-${node.of.type === 'term' ? writeNode(node.of) : `(${writeNode(node.of)})`}`
    case 'all':
      return node.of.map((each) => (each.type === 'any' ? `(${writeNode(each)})` : writeNode(each))).join(' ')
    case 'any':
      return node.of.map(writeNode).join(' OR ')
  }
}

/** The whole query, as it is written best. What has no sense is left out. */
export function canonicalQuery(text: string): string {
  const { tree } = parseSyntax(text)
  return tree ? writeNode(tree) : ''
}

/** Terms that must all hold, in one text. */
export function queryText(terms: readonly { text: string }[]): string {
  const [only] = terms
  if (terms.length === 1 && only) return only.text
  return terms.map(({ text }) => (parseSyntax(text).tree?.type === 'any' ? `(${text})` : text)).join(' ')
}

/** What is open at its end would swallow a term behind it, or make another one of it. */
const OPEN: readonly SyntaxProblemCode[] = ['quote', 'unclosed', 'or', 'lonely', 'long']

/** The query, and that term besides; the same query where it has it. */
export function withTerm(query: string, term: string): string {
  const { tree, problems } = parseSyntax(query)
  const whole = problems.some(({ code }) => OPEN.includes(code)) ? (tree ? writeNode(tree) : '') : query.trim()
  if (!tree) return [whole, term].filter(Boolean).join(' ')
  if (topLevel(tree).some((node) => writeNode(node) === canonicalQuery(term))) return whole
  return `${tree.type === 'any' ? `(${whole})` : whole} ${term}`
}

/** The query without the part that stands there. */
export function withoutTerm(query: string, { from, to }: Span): string {
  const left = `${query.slice(0, from).trimEnd()} ${query.slice(to).trimStart()}`.trim()
  // Taking out all that stood in parentheses leaves them behind.
  const empty = parseSyntax(left).problems.find(({ code }) => code === 'empty')
  return empty && empty.to > empty.from ? withoutTerm(left, empty) : left
}

/** The query with that term in place of every other one of its operator; without any where it is null. */
export function withOnly(query: string, operator: Operator, term: string | null): string {
  const { tree } = parseSyntax(query)
  const others = [...topLevel(tree)].reverse().filter((node) => node.type === 'term' && node.operator === operator)
  const left = others.reduce((text, node) => withoutTerm(text, node), query)
  return term ? withTerm(left, term) : left
}

export interface QueryParts {
  text?: string
  /** Name of a category; null for expenses without one. */
  category?: string | null
  month?: CalendarMonth
  /** A year, a quarter, or anything else that `date:` takes. */
  date?: string
  from?: CalendarDate
  to?: CalendarDate
  tag?: string
  currency?: string
}

/** The query for expenses like that: for links of other pages. */
export function queryFor({ text, category, month, date, from, to, tag, currency }: QueryParts): string {
  const terms = [
    text && writeTerm('text', text),
    category !== undefined && writeTerm('cat', category ?? 'none'),
    month && writeTerm('date', month),
    date && writeTerm('date', date),
    (from || to) && writeTerm('date', from === to ? (from ?? '') : `${from ?? ''}..${to ?? ''}`),
    tag && writeTerm('tag', tag),
    currency && writeTerm('currency', currency),
  ]
  return terms.filter(Boolean).join(' ')
}

/** Where the list of those expenses is. */
export function expensesLink(query: string | QueryParts): RouteLocationRaw {
  const q = typeof query === 'string' ? query : queryFor(query)
  return { name: 'expenses', query: q ? { q } : {} }
}

function quoted(value: string, needed: boolean): string {
  return needed ? `"${value.replace(/["“”„\\]/g, '\\$&')}"` : value
}
