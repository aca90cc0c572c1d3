/** The tags that are in use: those of the newest expenses, the most frequent first. */
import { useQuery } from '@urql/vue'
import { computed, type ComputedRef } from 'vue'
import { graphql } from '@/graphql/generated'

const KnownTagsQuery = graphql(`
  query KnownTags {
    expenses(first: 100) {
      nodes {
        id
        tags
      }
    }
  }
`)

export function useKnownTags(): ComputedRef<readonly string[]> {
  const { data } = useQuery({ query: KnownTagsQuery, variables: {}, context: { keep: true } })
  return computed(() => {
    const times = new Map<string, number>()
    for (const tag of data.value?.expenses.nodes.flatMap(({ tags }) => tags) ?? []) times.set(tag, (times.get(tag) ?? 0) + 1)
    return [...times].sort(([, a], [, b]) => b - a).map(([tag]) => tag)
  })
}
