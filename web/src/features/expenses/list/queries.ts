/** What the list asks the API for. */
import { graphql } from '@/graphql/generated'

export const ExpenseListQuery = graphql(`
  query ExpenseList($filter: ExpenseFilter, $first: Int!, $after: String) {
    expenses(filter: $filter, first: $first, after: $after) {
      nodes {
        ...ExpenseFields
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      revision
    }
  }
`)

export const ExpenseTotalsQuery = graphql(`
  query ExpenseTotals($filter: ExpenseFilter) {
    summary(filter: $filter, groupBy: []) {
      total {
        amount
        currency
        minorUnits
      }
      count
    }
  }
`)

export const ExpenseQuery = graphql(`
  query ExpenseNow($id: UUID!) {
    expense(id: $id) {
      ...ExpenseFields
    }
  }
`)
