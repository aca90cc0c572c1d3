/** Reads everything that a filter lets through, page by page. */
import type { Client } from '@urql/core'
import { graphql } from '@/graphql/generated'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import type { ExportedExpense, Writer } from './formats'

/** What the API gives at once. */
export const PAGE_SIZE = 100

const ExportPage = graphql(`
  query ExportPage($filter: ExpenseFilter, $first: Int!, $after: String, $counted: Boolean!) {
    expenses(filter: $filter, first: $first, after: $after) {
      nodes {
        id
        description
        amount {
          amount
          currency
        }
        spentOn
        category {
          name
        }
        notes
        tags
        createdAt
        updatedAt
      }
      totalCount @include(if: $counted)
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`)

export interface ExportedPage {
  expenses: readonly ExportedExpense[]
  /** How many there are on all pages; known of the first. */
  total: number | null
  next: string | null
}

/** Reads one page; rejects where no replica answers. */
export function pageReader(client: Client, filter: ExpenseFilter) {
  return async (after: string | null): Promise<ExportedPage> => {
    const variables = { filter, first: PAGE_SIZE, after, counted: after === null }
    const { data, error } = await client.query(ExportPage, variables).toPromise()
    if (!data) throw error ?? new Error('the answer is empty')
    const { nodes, pageInfo, totalCount = null } = data.expenses
    return { expenses: nodes, total: totalCount, next: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null }
  }
}

/**
 * Writes all pages. An expense whose date changes meanwhile may come on two pages: it is written once. `progress` is
 * told after every page.
 */
export async function writeAll(
  read: (after: string | null) => Promise<ExportedPage>,
  writer: Writer,
  progress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<{ parts: string[]; count: number }> {
  const parts = [writer.begin]
  const seen = new Set<string>()
  let total = 0
  for (let after: string | null = null; ; ) {
    const page = await read(after)
    signal.throwIfAborted()
    const fresh = page.expenses.filter(({ id }) => !seen.has(id))
    parts.push(writer.rows(fresh, seen.size === 0))
    for (const { id } of fresh) seen.add(id)
    total = Math.max(page.total ?? total, seen.size)
    progress(seen.size, total)
    if (page.next === null) break
    after = page.next
  }
  parts.push(writer.end)
  return { parts, count: seen.size }
}
