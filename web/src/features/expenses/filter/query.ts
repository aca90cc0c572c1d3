/**
 * The search box, understood: `cat:food amount:>50 date:2026-Q1 -tag:trip`. What cannot be understood is left out and
 * becomes a problem, with its place and what would be right; the rest still filters.
 */
import { isCurrency } from '@/components/currencies'
import { fold, words } from '@/format/fold'
import type { CalendarDate } from '@/format/date'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import { resolveAmount } from './amounts'
import { allOf, anyOf, fits, noneOf } from './combine'
import { resolveDate } from './dates'
import type { Operator } from './operators'
import { parseSyntax, topLevel, type Node, type Span, type SyntaxProblemCode, type Term } from './syntax'
import { writeNode } from './write'

export type ExpenseFilterInput = ExpenseFilter

/** A category, as far as queries care. */
export interface NamedCategory {
  id: string
  name: string
  color?: string | null
}

export interface QueryContext {
  categories: readonly NamedCategory[]
  today: CalendarDate
}

type TermProblemCode = 'category' | 'amount' | 'date' | 'currency' | 'wordless' | 'reversed' | 'tooMuch'

/** What is wrong with a part of the text; the codes are keys of `filter.problem`. */
export interface Problem extends Span {
  code: SyntaxProblemCode | TermProblemCode
  /** The part that it is about: the value of a term, or what was typed. */
  value: string
}

/** What a term means, or why it means nothing. */
export type Resolved = { filter: ExpenseFilter; categories?: readonly NamedCategory[] } | { problem: TermProblemCode }

/** One of the terms that must all hold: what a chip shows. */
export interface QueryTerm extends Span {
  /** As it is written best: `-cat:"Eating out"`. */
  text: string
  negated: boolean
  operator: Operator | 'group'
  /** What is behind the colon; the whole text of a group. */
  value: string
  /** The categories that `cat:` means. */
  categories: readonly NamedCategory[]
}

export interface ParsedQuery {
  filter: ExpenseFilterInput
  terms: readonly QueryTerm[]
  problems: readonly Problem[]
}

export function parseQuery(text: string, context: QueryContext): ParsedQuery {
  const { tree, problems: wrong } = parseSyntax(text)
  const problems: Problem[] = [...wrong]
  const terms: QueryTerm[] = []
  const filters: ExpenseFilter[] = []
  for (const node of topLevel(tree)) {
    const filter = filterOf(node, context, problems)
    if (!filter) continue
    if (fits(allOf([...filters, filter]))) {
      filters.push(filter)
      terms.push(queryTerm(node, context))
    } else problems.push({ code: 'tooMuch', from: node.from, to: node.to, value: text.slice(node.from, node.to) })
  }
  return { filter: allOf(filters), terms, problems: problems.sort((a, b) => a.from - b.from) }
}

/** The filter that a node means; null where nothing of it means anything. */
function filterOf(node: Node, context: QueryContext, problems: Problem[]): ExpenseFilter | null {
  if (node.type === 'term') {
    const resolved = resolve(node, context)
    if ('filter' in resolved) return resolved.filter
    problems.push({ code: resolved.problem, from: node.from, to: node.to, value: node.value })
    return null
  }
  if (node.type === 'not') {
    const inner = filterOf(node.of, context, problems)
    return inner && noneOf(inner)
  }
  const inner = node.of.map((each) => filterOf(each, context, problems)).filter((filter) => filter !== null)
  const [only] = inner
  if (!only || inner.length === 1) return only ?? null
  return node.type === 'all' ? allOf(inner) : anyOf(inner)
}

function resolve({ operator, value }: Term, { categories, today }: QueryContext): Resolved {
  switch (operator) {
    case 'text':
      return words(value).length > 0 ? { filter: { text: value } } : { problem: 'wordless' }
    case 'cat':
      return resolveCategory(value, categories)
    case 'tag':
      // No stored tag has control characters, and the replicas refuse some of them.
      return { filter: { tags: [value.replace(/\p{Cc}/gu, ' ')] } }
    case 'amount':
      return resolveAmount(value)
    case 'date':
      return resolveDate(value, today)
    case 'currency': {
      const currency = value.toUpperCase()
      return isCurrency(currency) ? { filter: { currency } } : { problem: 'currency' }
    }
  }
}

/** The category of that name; without one, all whose names begin like that. */
function resolveCategory(value: string, categories: readonly NamedCategory[]): Resolved {
  const wanted = fold(value)
  const exact = categories.filter(({ name }) => fold(name) === wanted)
  if (exact.length === 0 && NONE.includes(wanted)) return { filter: { uncategorised: true } }
  const found = exact.length > 0 ? exact : categories.filter(({ name }) => fold(name).startsWith(wanted))
  if (found.length === 0) return { problem: 'category' }
  return { filter: { categoryIds: found.map(({ id }) => id) }, categories: found }
}

/** Folded. */
const NONE = ['none', 'keine']

function queryTerm(node: Node, context: QueryContext): QueryTerm {
  const negated = node.type === 'not'
  const inner = node.type === 'not' ? node.of : node
  const resolved = inner.type === 'term' ? resolve(inner, context) : null
  return {
    from: node.from,
    to: node.to,
    text: writeNode(node),
    negated,
    operator: inner.type === 'term' ? inner.operator : 'group',
    value: inner.type === 'term' ? inner.value : writeNode(inner),
    categories: resolved && 'categories' in resolved ? (resolved.categories ?? []) : [],
  }
}
