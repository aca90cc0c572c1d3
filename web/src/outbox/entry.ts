import type {
  AddExpenseInput,
  DeleteExpenseInput,
  ReceiptFieldsFragment,
  RestoreExpenseInput,
  UpdateExpenseInput,
  UserErrorFieldsFragment,
} from '@/graphql/generated/graphql'
import type { Expense } from '@/feed/expense'

/** What a person did to an expense. */
export type Command =
  | { kind: 'add'; input: Omit<AddExpenseInput, 'idempotencyKey' | 'id'> & { id: string } }
  | { kind: 'update'; input: Omit<UpdateExpenseInput, 'idempotencyKey'> }
  | { kind: 'delete'; input: Omit<DeleteExpenseInput, 'idempotencyKey'> }
  | { kind: 'restore'; input: Omit<RestoreExpenseInput, 'idempotencyKey'> }

/**
 * - `queued`: waits for its turn, or for a replica.
 * - `sending`: is on its way.
 * - `stored`: the cluster has it; see the receipt.
 * - `refused`: the cluster will not have it as it is; see the errors.
 */
export type EntryState = 'queued' | 'sending' | 'stored' | 'refused'

/** Why the cluster refused. */
export type UserError = UserErrorFieldsFragment
/** Who has it. */
export type Receipt = ReceiptFieldsFragment

/** One mutation from the moment it is made until it is settled and its badge has been seen. */
export interface Entry {
  /** Idempotency key: made once, kept until settled. */
  readonly key: string
  readonly command: Command
  /** When the person did it, by this machine's clock, in milliseconds. */
  readonly at: number
  state: EntryState
  /** How often it was sent. */
  attempts: number
  receipt: Receipt | null
  errors: readonly UserError[]
  /** The expense as the cluster has it after the mutation. */
  expense: Expense | null
}

/** An entry as it is kept in the browser: only those that are not settled are. */
export interface StoredEntry {
  key: string
  command: Command
  at: number
}
