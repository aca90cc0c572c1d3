/** What earlier expenses suggest for a description. */
import { fold, words } from '@/format/fold'
import type { SuggestionFieldsFragment } from '@/graphql/generated/graphql'

/** Most that are shown. */
const MAX_SHOWN = 8

export type Earlier = SuggestionFieldsFragment

export interface Suggestion {
  key: string
  description: string
  category: Earlier['category']
  /** What it cost the last time. */
  money: Earlier['amount']
  tags: readonly string[]
}

/**
 * One suggestion for every description, as it was the last time. Those that begin with what was typed come first, then
 * the most frequent, then the most recent. `earlier` has the newest first.
 */
export function suggest(earlier: readonly Earlier[], typed: string): Suggestion[] {
  const wanted = words(typed)
  const start = fold(typed.trim())
  if (wanted.length === 0) return []
  const found = new Map<string, { suggestion: Suggestion; times: number; begins: boolean }>()
  for (const { id, description, category, amount, tags } of earlier) {
    const key = fold(description)
    const known = found.get(key)
    if (known) known.times += 1
    else if (describes(description, wanted)) {
      const suggestion = { key: id, description, category, money: amount, tags }
      found.set(key, { suggestion, times: 1, begins: key.startsWith(start) })
    }
  }
  return [...found.values()]
    .sort((a, b) => Number(b.begins) - Number(a.begins) || b.times - a.times)
    .map(({ suggestion }) => suggestion)
    .filter(({ description }) => description !== typed)
    .slice(0, MAX_SHOWN)
}

/** The replicas look into notes and tags, too: what was found there would only puzzle here. */
function describes(description: string, wanted: readonly string[]): boolean {
  const own = words(description)
  return wanted.every((word) => own.some((each) => each.startsWith(word)))
}
