/**
 * The tabs of a first visit. Every document is validated against the API's schema by `test/examples.test.js`.
 *
 * GraphiQL does not put the first tab's variables into its editor, so that document holds its values itself. Headers
 * are named in comments: the editor forgets them on a reload, as it should with a token.
 *
 * @typedef {{ query: string, variables: string | null }} Example
 */

/**
 * @param {{ query: string, variables?: unknown }} example
 * @returns {Example}
 */
function tab({ query, variables }) {
  return {
    query: query.trimStart(),
    variables: variables === undefined ? null : JSON.stringify(variables, null, 2),
  }
}

/** @type {Example[]} */
export const examples = [
  tab({
    query: `
# Adds an expense. The answer comes when every replica
# in sync has it: "receipt" says which.
#
# With an idempotencyKey, running it again, on whichever
# replica, answers "replayed" and adds nothing.
#
# Headers to try:
# { "Write-Acknowledgement": "quorum" }
mutation AddExpense {
  addExpense(
    input: {
      # idempotencyKey: "6f1f0f5e-3a5b-4b0e-9c5d-2f8f1a4c7d11"
      description: "Bread and cheese"
      amount: "12.50"
      currency: "EUR"
      spentOn: "2026-11-22"
      tags: ["food"]
    }
  ) {
    expense {
      id
      description
      amount {
        amount
        currency
      }
      spentOn
      tags
      version
    }
    receipt {
      revision
      replayed
      acknowledgedBy {
        replicaId
        state
      }
      pending
    }
    userErrors {
      code
      message
      field
    }
  }
}
`,
  }),
  tab({
    query: `
# The newest expenses. Ask any replica: by default each
# answers with all that was acknowledged before.
#
# Headers to try:
# { "Read-Consistency": "local" } asks only this replica.
query ListExpenses($first: Int, $after: String, $filter: ExpenseFilter) {
  expenses(
    first: $first
    after: $after
    filter: $filter
    orderBy: { field: SPENT_ON, direction: DESC }
  ) {
    totalCount
    revision
    nodes {
      id
      spentOn
      description
      amount {
        amount
        currency
      }
      category {
        name
      }
      tags
      version
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
    variables: { first: 20, filter: { spentFrom: '2026-01-01' } },
  }),
  tab({
    query: `
# Totals per month and category, one row a currency,
# computed in the database.
query Summary($filter: ExpenseFilter) {
  summary(groupBy: [MONTH, CATEGORY], filter: $filter) {
    month
    category {
      name
    }
    total {
      amount
      currency
    }
    count
  }
}
`,
    variables: { filter: { spentFrom: '2026-01-01', spentTo: '2026-12-31' } },
  }),
  tab({
    query: `
# Every change, in order, as this replica commits it.
# Run it, then add an expense in another window.
#
# Pass the revision of a list, or of the last event, as
# "after" to go on from there, on any replica.
subscription Changes($after: Revision) {
  changes(after: $after) {
    __typename
    ... on ChangeBatch {
      revision
      committedAt
      changes {
        __typename
        ... on ExpenseAdded {
          expense {
            ...Spent
          }
        }
        ... on ExpenseUpdated {
          expense {
            ...Spent
          }
          before {
            ...Spent
          }
        }
        ... on ExpenseDeleted {
          expense {
            ...Spent
          }
        }
        ... on ExpenseRestored {
          expense {
            ...Spent
          }
        }
        ... on CategoryAdded {
          category {
            id
            name
          }
        }
        ... on CategoryUpdated {
          category {
            id
            name
          }
        }
        ... on CategoryDeleted {
          categoryId
          mergedInto
        }
      }
    }
    ... on Bookmark {
      upTo: revision
    }
    ... on ResyncRequired {
      oldestRevision
      headRevision
    }
  }
}

fragment Spent on Expense {
  id
  description
  amount {
    amount
    currency
  }
  spentOn
  version
}
`,
    variables: { after: null },
  }),
  tab({
    query: `
# The three replicas, live: their roles, how far each is,
# and whether they hold the same history.
subscription Replicas {
  replicas {
    id
    role
    url
    term
    revision
    lag
    inSync
    stateHash
    expenseCount
    database
    lastSeenAt
  }
}
`,
  }),
]
