import type { CategoryRef } from '../data/rows'

/** What a series is called: also the one without a category, and the one of all others. */
export function nameOf(t: (key: string) => string, category: CategoryRef | null, others = false): string {
  return category?.name ?? t(others ? 'overview.category.others' : 'common.uncategorised')
}
