/** Names of categories, as the replicas compare them. */
import type { Category } from '@/feed/expense'
import { fold } from '@/format/fold'

/** Most characters of a name. */
export const MAX_NAME = 64

/** What is wrong with a name before anybody is asked; null where nothing is. */
export function faultOf(name: string): 'empty' | 'tooLong' | null {
  const length = Array.from(name.trim()).length
  if (length === 0) return 'empty'
  return length > MAX_NAME ? 'tooLong' : null
}

/** The category that has the name, in any case and with or without accents. */
export function namedLike(categories: readonly Category[], name: string): Category | undefined {
  const folded = fold(name.trim())
  return categories.find((category) => fold(category.name.trim()) === folded)
}
