/** A large expense, as the lists of the overview show it. */
import { graphql } from '@/graphql/generated'

export const TopExpense = graphql(`
  fragment TopExpense on Expense {
    id
    description
    amount {
      amount
      currency
    }
    spentOn
    category {
      id
      name
      color
    }
  }
`)
