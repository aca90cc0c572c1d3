/** What an import asks of the replicas. */
import type { Client, CombinedError } from '@urql/core'
import { graphql, readFragment, type FragmentType } from '@/graphql/generated'
import type { AddCategoryInput, AddExpenseInput, UpdateExpenseInput } from '@/graphql/generated/graphql'
import type { UserError } from '@/outbox/entry'
import { UserErrorFields } from '@/outbox/mutations'

const ImportLedger = graphql(`
  query ImportLedger {
    ledgers {
      id
      baseCurrency
    }
    categories {
      id
      name
    }
  }
`)

const ImportOutcome = graphql(`
  query ImportOutcome($key: UUID!) {
    outcome(idempotencyKey: $key) {
      receipt {
        revision
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const ImportExpenses = graphql(`
  mutation ImportExpenses($input: AddExpensesInput!) {
    payload: addExpenses(input: $input) {
      receipt {
        revision
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const ImportCategory = graphql(`
  mutation ImportCategory($input: AddCategoryInput!) {
    payload: addCategory(input: $input) {
      receipt {
        revision
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const ImportDelete = graphql(`
  mutation ImportDelete($input: DeleteExpenseInput!) {
    payload: deleteExpense(input: $input) {
      receipt {
        revision
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const ImportRestore = graphql(`
  mutation ImportRestore($input: RestoreExpenseInput!) {
    payload: restoreExpense(input: $input) {
      receipt {
        revision
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const ImportUpdate = graphql(`
  mutation ImportUpdate($input: UpdateExpenseInput!) {
    payload: updateExpense(input: $input) {
      receipt {
        revision
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const ImportExisting = graphql(`
  query ImportExisting($filter: ExpenseFilter, $after: String) {
    expenses(filter: $filter, first: 100, after: $after) {
      nodes {
        id
        spentOn
        description
        amount {
          amount
          currency
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`)

/** What came of a mutation: no errors where it was carried out. */
export interface Outcome {
  errors: readonly UserError[]
}

/** The ledger that an import goes to, and its categories. */
export interface Ledger {
  id: string
  baseCurrency: string
  categories: { id: string; name: string }[]
}

/** What is read of an expense that is there already. */
export interface Existing {
  id: string
  spentOn: string
  description: string
  amount: { amount: string; currency: string }
}

/** No answer, or one that says nothing of the mutation. */
export class NoAnswer extends Error {
  constructor(readonly reason: CombinedError | null) {
    super(reason?.message ?? 'the answer is empty')
    this.name = 'NoAnswer'
  }
}

export type Operations = ReturnType<typeof createOperations>

/** All of these reject with `NoAnswer` where no replica settles them. */
export function createOperations(client: Client) {
  return {
    /** Imports go to the oldest ledger, which is the one that the page shows. */
    async ledger(): Promise<Ledger> {
      const { data, error } = await client.query(ImportLedger, {}).toPromise()
      const ledger = data?.ledgers[0]
      if (!data || !ledger) throw new NoAnswer(error ?? null)
      return { ...ledger, categories: data.categories }
    },
    /** What came of a key so far; null if nothing did. */
    async outcome(key: string): Promise<Outcome | null> {
      const { data, error } = await client.query(ImportOutcome, { key }).toPromise()
      if (!data) throw new NoAnswer(error ?? null)
      return data.outcome ? settled(data.outcome, error) : null
    },
    async addExpenses(idempotencyKey: string, ledgerId: string, expenses: AddExpenseInput[]): Promise<Outcome> {
      const input = { idempotencyKey, ledgerId, expenses }
      const { data, error } = await client.mutation(ImportExpenses, { input }).toPromise()
      return settled(data?.payload, error)
    },
    async addCategory(input: AddCategoryInput): Promise<Outcome> {
      const { data, error } = await client.mutation(ImportCategory, { input }).toPromise()
      return settled(data?.payload, error)
    },
    async deleteExpense(idempotencyKey: string, id: string): Promise<Outcome> {
      const { data, error } = await client.mutation(ImportDelete, { input: { idempotencyKey, id } }).toPromise()
      return settled(data?.payload, error)
    },
    async restoreExpense(idempotencyKey: string, id: string): Promise<Outcome> {
      const { data, error } = await client.mutation(ImportRestore, { input: { idempotencyKey, id } }).toPromise()
      return settled(data?.payload, error)
    },
    async updateExpense(input: UpdateExpenseInput): Promise<Outcome> {
      const { data, error } = await client.mutation(ImportUpdate, { input }).toPromise()
      return settled(data?.payload, error)
    },
    /** One page of what is there between two days; deleted or not. */
    async existing(range: { from: string; to: string; deleted: boolean }, after: string | null) {
      const filter = { spentFrom: range.from, spentTo: range.to, deleted: range.deleted }
      const { data, error } = await client.query(ImportExisting, { filter, after }).toPromise()
      if (!data) throw new NoAnswer(error ?? null)
      const { nodes, pageInfo } = data.expenses
      return { nodes, next: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null }
    },
  }
}

interface Payload {
  receipt: { revision: string } | null
  userErrors: readonly FragmentType<typeof UserErrorFields>[]
}

function settled(payload: Payload | null | undefined, error: CombinedError | undefined): Outcome {
  const errors = payload ? readFragment(UserErrorFields, payload.userErrors) : []
  if (!payload || (errors.length === 0 && !payload.receipt)) throw new NoAnswer(error ?? null)
  return { errors }
}
