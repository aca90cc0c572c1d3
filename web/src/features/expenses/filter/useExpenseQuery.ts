/**
 * The query of the list: its text is in the address (`?q=`), so that it survives a reload, can be passed on, and goes
 * back and forward. What is typed in one go is one step of the history; it is applied when typing pauses.
 */
import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { useCategories } from '@/feed/categories'
import { useToday } from '@/format/useToday'
import { parseQuery, type ExpenseFilterInput, type ParsedQuery, type QueryContext } from './query'
import { parseSyntax, type Node } from './syntax'

/** How long typing pauses before it is applied, in milliseconds. */
const PAUSE = 250

export interface ExpenseQuery {
  /** What stands in the box. Writing to it is typing. */
  text: Ref<string>
  /** The text, understood. */
  parsed: ComputedRef<ParsedQuery>
  /** What the list shows: the same object as long as it means the same. */
  filter: ComputedRef<ExpenseFilterInput>
  /** False while a category is named and the categories are not known yet: the filter is not what is meant. */
  ready: ComputedRef<boolean>
  /** Applies the text, or another one, at once; what is typed next is the next step of the history. */
  submit: (text?: string) => void
}

export function useExpenseQuery(): ExpenseQuery {
  const route = useRoute()
  const router = useRouter()
  const { categories, loading } = useCategories()
  const today = useToday()
  const page = route.name

  const inAddress = () => (typeof route.query['q'] === 'string' ? route.query['q'] : '')
  const applied = ref(inAddress().trim())
  const text = ref(applied.value)
  /** True from the first letter to the submission: the address has a step for it. */
  let typing = false
  let pause: ReturnType<typeof setTimeout> | undefined

  watch(text, (next) => {
    clearTimeout(pause)
    if (next.trim() !== applied.value) pause = setTimeout(apply, PAUSE)
  })
  // Back, forward, or a link.
  watch(inAddress, (q) => {
    if (route.name !== page || q.trim() === applied.value) return
    clearTimeout(pause)
    typing = false
    applied.value = q.trim()
    text.value = q
  })
  onScopeDispose(() => clearTimeout(pause))

  function apply() {
    clearTimeout(pause)
    const q = text.value.trim()
    if (q === applied.value || route.name !== page) return
    applied.value = q
    const to = { query: { ...route.query, q: q || undefined } }
    void (typing ? router.replace(to) : router.push(to))
    typing = true
  }

  function submit(next = text.value) {
    if (next !== text.value) typing = false
    text.value = next
    apply()
    typing = false
  }

  const context = computed<QueryContext>(() => ({ categories: categories.value, today: today.value }))
  const parsed = computed(() => parseQuery(text.value, context.value))
  const filter = computed<ExpenseFilterInput>((before) => {
    const next = parseQuery(applied.value, context.value).filter
    return before && JSON.stringify(before) === JSON.stringify(next) ? before : next
  })
  const ready = computed(() => !loading.value || !namesCategory(parseSyntax(applied.value).tree))

  return { text, parsed, filter, ready, submit }
}

function namesCategory(node: Node | null): boolean {
  if (!node) return false
  if (node.type === 'term') return node.operator === 'cat'
  return node.type === 'not' ? namesCategory(node.of) : node.of.some(namesCategory)
}
