/** Suggestions from earlier expenses while a description is typed; offline, from the newest ones that are known. */
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { useQuery } from '@urql/vue'
import { graphql, readFragment } from '@/graphql/generated'
import { useServices } from '@/services'
import { suggest, type Earlier, type Suggestion } from './suggestions'

/** How long typing pauses before it is asked for, in milliseconds. */
const PAUSE = 120
/** How many matches are asked for: enough to tell what is frequent. */
const MATCHES = 30
/** How many of the newest are known without asking. */
const NEWEST = 100

const SuggestionFields = graphql(`
  fragment SuggestionFields on Expense {
    id
    description
    amount {
      amount
      currency
    }
    category {
      id
      name
      color
    }
    tags
  }
`)

const SuggestionsQuery = graphql(`
  query Suggestions($text: String, $first: Int!) {
    expenses(filter: { text: $text }, first: $first) {
      nodes {
        ...SuggestionFields
      }
    }
  }
`)

export function useSuggestions(typed: Ref<string>): ComputedRef<Suggestion[]> {
  const { client } = useServices()
  // One answer is kept for offline; one for every few letters would push out what matters more.
  const newest = useQuery({ query: SuggestionsQuery, variables: { text: null, first: NEWEST }, context: { keep: true } })
  const matches = shallowRef<readonly Earlier[]>([])
  const matchesFor = ref('')
  let pause: ReturnType<typeof setTimeout> | undefined

  watch(typed, (text) => {
    clearTimeout(pause)
    if (text.trim() !== '') pause = setTimeout(() => void ask(text), PAUSE)
  })
  onScopeDispose(() => clearTimeout(pause))

  async function ask(text: string) {
    const { data } = await client.query(SuggestionsQuery, { text, first: MATCHES }).toPromise()
    if (!data || typed.value !== text) return
    matches.value = readFragment(SuggestionFields, data.expenses.nodes)
    matchesFor.value = text
  }

  return computed(() => {
    // Until the answer is there, the last one goes on where it still fits.
    const known = typed.value.startsWith(matchesFor.value) ? matches.value : []
    const recent = readFragment(SuggestionFields, newest.data.value?.expenses.nodes ?? [])
    const ids = new Set(known.map(({ id }) => id))
    return suggest([...known, ...recent.filter(({ id }) => !ids.has(id))], typed.value)
  })
}
