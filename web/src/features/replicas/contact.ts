/** When the replicas were last heard from, by the clock of the one that says so. */
import type { Replica } from '@/cluster/replica'

/** What a replica said of the others' last contact, and when that arrived here (milliseconds). */
export interface Contact {
  at: number
  replicas: readonly Pick<Replica, 'id' | 'lastSeenAt'>[]
}

/**
 * Milliseconds since that replica was heard from, by `now` of this machine; null if never. The one that answers has
 * heard from itself just now, so its latest time is its clock: this machine's own may differ from it.
 */
export function sinceContact(contact: Contact, id: string, now: number): number | null {
  const seen = contact.replicas.find((replica) => replica.id === id)?.lastSeenAt
  if (!seen) return null
  const clock = Math.max(...contact.replicas.flatMap(({ lastSeenAt }) => (lastSeenAt ? [Date.parse(lastSeenAt)] : [])))
  return Math.max(0, clock - Date.parse(seen)) + Math.max(0, now - contact.at)
}
