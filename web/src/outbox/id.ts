import { v7 } from 'uuid'

/** A new identity, for an expense or an idempotency key. Later ones sort after earlier ones. */
export function newId(): string {
  return v7()
}
