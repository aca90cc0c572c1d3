/** The mutations that the outbox sends, and what it reads of their answers. */
import type { Client, CombinedError } from '@urql/core'
import type { Expense } from '@/feed/expense'
import { ExpenseFields, ReceiptFields } from '@/feed/fields'
import { graphql, readFragment } from '@/graphql/generated'
import type { Command, Receipt, UserError } from './entry'

export const UserErrorFields = graphql(`
  fragment UserErrorFields on UserError {
    code
    message
    field
  }
`)

const AddExpense = graphql(`
  mutation AddExpense($input: AddExpenseInput!) {
    payload: addExpense(input: $input) {
      expense {
        ...ExpenseFields
      }
      receipt {
        ...ReceiptFields
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const UpdateExpense = graphql(`
  mutation UpdateExpense($input: UpdateExpenseInput!) {
    payload: updateExpense(input: $input) {
      expense {
        ...ExpenseFields
      }
      receipt {
        ...ReceiptFields
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const DeleteExpense = graphql(`
  mutation DeleteExpense($input: DeleteExpenseInput!) {
    payload: deleteExpense(input: $input) {
      expense {
        ...ExpenseFields
      }
      receipt {
        ...ReceiptFields
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const RestoreExpense = graphql(`
  mutation RestoreExpense($input: RestoreExpenseInput!) {
    payload: restoreExpense(input: $input) {
      expense {
        ...ExpenseFields
      }
      receipt {
        ...ReceiptFields
      }
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

/** What came of sending: the cluster's word, or that there is none yet. */
export type Answer =
  | { type: 'settled'; expense: Expense | null; receipt: Receipt | null; errors: readonly UserError[] }
  | { type: 'failed'; error: CombinedError }

/** Sends one command with its key. */
export async function send(client: Client, key: string, command: Command): Promise<Answer> {
  const { data, error } = await execute(client, key, command)
  if (error) return { type: 'failed', error }
  const payload = data?.payload
  return {
    type: 'settled',
    expense: readFragment(ExpenseFields, payload?.expense ?? null),
    receipt: readFragment(ReceiptFields, payload?.receipt ?? null),
    errors: readFragment(UserErrorFields, payload?.userErrors ?? []),
  }
}

function execute(client: Client, key: string, command: Command) {
  switch (command.kind) {
    case 'add':
      return client.mutation(AddExpense, { input: { ...command.input, idempotencyKey: key } }).toPromise()
    case 'update':
      return client.mutation(UpdateExpense, { input: { ...command.input, idempotencyKey: key } }).toPromise()
    case 'delete':
      return client.mutation(DeleteExpense, { input: { ...command.input, idempotencyKey: key } }).toPromise()
    case 'restore':
      return client.mutation(RestoreExpense, { input: { ...command.input, idempotencyKey: key } }).toPromise()
  }
}
