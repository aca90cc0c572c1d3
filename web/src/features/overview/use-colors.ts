/** The colours that all parts of the page draw the categories in. */
import { inject, provide, type ComputedRef, type InjectionKey } from 'vue'
import { categoryColor } from '@/components/category-color'
import { categoryKey, type CategoryRef } from './data/rows'

type Colors = ComputedRef<ReadonlyMap<string, string>>

const key: InjectionKey<Colors> = Symbol('colors of the overview')

export function provideColors(colors: Colors) {
  provide(key, colors)
}

/** The colour of a category; what has none, and the others, are of the greys that are given. */
export function useColors() {
  const colors = inject(key, null)
  return (category: CategoryRef | null, others: boolean, greys: { rule: string; strong: string }): string => {
    if (!category) return others ? greys.rule : greys.strong
    return colors?.value.get(categoryKey(category)) ?? categoryColor(category)
  }
}
