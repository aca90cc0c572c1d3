/** The fields that every part of the page may rely on: what the feed brings, lists must have read. */
import { graphql } from '@/graphql/generated'

export const ExpenseFields = graphql(`
  fragment ExpenseFields on Expense {
    id
    description
    amount {
      amount
      currency
      minorUnits
    }
    spentOn
    category {
      id
      name
      color
    }
    notes
    tags
    createdAt
    updatedAt
    version
    revision
    deletedAt
  }
`)

export const CategoryFields = graphql(`
  fragment CategoryFields on Category {
    id
    name
    color
    version
    expenseCount
  }
`)

export const ReceiptFields = graphql(`
  fragment ReceiptFields on Receipt {
    revision
    term
    replayed
    acknowledgedBy {
      replicaId
      state
    }
    pending
  }
`)
