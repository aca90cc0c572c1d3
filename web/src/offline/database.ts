/** What the page keeps in this browser: mutations that are not settled, and the last data that it has seen. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { StoredEntry } from '@/outbox/entry'

/** An answer that was kept, to be shown while no replica answers. */
export interface KeptAnswer {
  /** Operation and variables. */
  key: string
  /** When it was true, by this machine's clock, in milliseconds. */
  at: number
  data: unknown
}

export interface Schema extends DBSchema {
  outbox: { key: string; value: StoredEntry }
  answers: { key: string; value: KeptAnswer; indexes: { at: number } }
}

export type Database = IDBPDatabase<Schema>

/** Opens it; null where the browser forbids it, as some do in private windows. The page then works without. */
export async function openDatabase(name = 'threefold'): Promise<Database | null> {
  try {
    return await openDB<Schema>(name, 1, {
      upgrade(database) {
        database.createObjectStore('outbox', { keyPath: 'key' })
        database.createObjectStore('answers', { keyPath: 'key' }).createIndex('at', 'at')
      },
    })
  } catch {
    return null
  }
}
