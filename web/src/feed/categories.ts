/** Every category of the ledger, live. */
import { useQuery } from '@urql/vue'
import { computed, onScopeDispose, shallowRef, watch, type ComputedRef } from 'vue'
import { graphql, readFragment } from '@/graphql/generated'
import { whenOnline } from '@/offline/when-online'
import { useServices } from '@/services'
import type { Category } from './expense'
import type { Change } from './feed'
import { CategoryFields } from './fields'

/** The longest that a burst of changes may wait to be shown, in milliseconds. */
const SETTLE = 300

const CategoriesQuery = graphql(`
  query Categories {
    categories {
      ...CategoryFields
    }
  }
`)

export interface Categories {
  /** By name. */
  categories: ComputedRef<readonly Category[]>
  byId: ComputedRef<ReadonlyMap<string, Category>>
  /** True until the first answer. */
  loading: ComputedRef<boolean>
  /** Why they could not be read; null while they could. */
  failed: ComputedRef<Error | null>
}

/** The categories, kept as they are on the replicas: also when another person changes one. */
export function useCategories(): Categories {
  const { feed } = useServices()
  const query = useQuery({ query: CategoriesQuery, variables: {}, context: { keep: true } })
  const list = shallowRef<readonly Category[]>([])
  let reading: ReturnType<typeof setTimeout> | undefined

  watch(query.data, (data) => {
    if (data) list.value = [...readFragment(CategoryFields, data.categories)]
  }, { immediate: true })

  function readSoon() {
    reading ??= setTimeout(() => {
      reading = undefined
      query.executeQuery({ requestPolicy: 'network-only', keep: true })
    }, SETTLE)
  }

  const stop = feed.listen((message) => {
    if (message.type === 'batch') list.value = message.batch.changes.reduce(applied, list.value)
    // The number of expenses of each is the database's to count.
    readSoon()
  })
  whenOnline(readSoon)
  onScopeDispose(() => {
    clearTimeout(reading)
    stop()
  })

  return {
    categories: computed(() => [...list.value].sort((a, b) => a.name.localeCompare(b.name))),
    byId: computed(() => new Map(list.value.map((category) => [category.id, category]))),
    loading: computed(() => query.fetching.value && !query.data.value),
    failed: computed(() => query.error.value ?? null),
  }
}

function applied(list: readonly Category[], change: Change): readonly Category[] {
  switch (change.__typename) {
    case 'CategoryAdded':
    case 'CategoryUpdated': {
      const category = readFragment(CategoryFields, change.category)
      return [...list.filter(({ id }) => id !== category.id), category]
    }
    case 'CategoryDeleted':
      return list.filter(({ id }) => id !== change.categoryId)
    default:
      return list
  }
}
