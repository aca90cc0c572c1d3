/** The form behind quick add: what is typed, what is wrong with it, and how it becomes an expense. */
import { computed, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { rememberCurrency, useUsualCurrency } from '@/components/currencies'
import { useCategories } from '@/feed/categories'
import { isDate } from '@/format/date'
import { locale } from '@/format/locale'
import type { Entry } from '@/outbox/entry'
import { newId } from '@/outbox/id'
import { OutboxFull } from '@/outbox/outbox'
import { useServices } from '@/services'
import { useDraft, type Sent } from './draft'
import type { Suggestion } from './suggestions'
import { useToday } from './useToday'

/** A field that cannot stay as it is. */
export type Field = 'description' | 'amount' | 'spentOn' | 'form'

export function useQuickAdd() {
  const { t } = useI18n()
  const { outbox } = useServices()
  const { byId } = useCategories()
  const usual = useUsualCurrency()
  const today = useToday()
  const { draft, next, correct } = useDraft(storage())

  /** Exact; null while nothing that could be one is typed. */
  const amount = ref<string | null>(null)
  const problem = shallowRef<{ field: Field; text: string } | null>(null)
  /** The last one that was added here. */
  const last = shallowRef<Entry | null>(null)
  /** What the chosen suggestion cost the last time. */
  const lastMoney = shallowRef<Suggestion['money'] | null>(null)

  const spentOn = computed({
    get: () => draft.spentOn ?? today.value,
    set: (date) => (draft.spentOn = date === today.value ? null : date),
  })
  const currency = computed({
    get: () => draft.currency ?? usual.value,
    set: (code) => (draft.currency = code),
  })
  const category = computed(() => (draft.categoryId ? (byId.value.get(draft.categoryId) ?? null) : null))

  function take(suggestion: Suggestion) {
    draft.description = suggestion.description
    draft.categoryId = suggestion.category?.id ?? null
    draft.currency = suggestion.money.currency
    if (draft.tags.length === 0) draft.tags = [...suggestion.tags]
    lastMoney.value = suggestion.money
  }

  /** Adds the expense; false where something is missing, which `problem` then says. */
  function add(): boolean {
    problem.value = findProblem()
    if (problem.value || amount.value === null) return false
    const input: Sent & { id: string } = {
      id: newId(),
      description: draft.description.trim() || (category.value?.name ?? ''),
      amount: amount.value,
      currency: currency.value,
      spentOn: spentOn.value,
      categoryId: draft.categoryId,
      notes: draft.notes.trim() || null,
      tags: [...draft.tags],
    }
    try {
      last.value = outbox.submit({ kind: 'add', input: { ...input, tags: [...draft.tags] } }).entry
    } catch (error) {
      if (!(error instanceof OutboxFull)) throw error
      problem.value = { field: 'form', text: t('quickAdd.problem.full') }
      return false
    }
    rememberCurrency(input.currency)
    lastMoney.value = null
    next()
    return true
  }

  function findProblem(): { field: Field; text: string } | null {
    if (amount.value === null) {
      // What is wrong with an amount that is there, its own field says.
      return { field: 'amount', text: draft.amount.trim() === '' ? t('quickAdd.amount.missing') : '' }
    }
    if (draft.description.trim() === '' && !category.value)
      return { field: 'description', text: t('quickAdd.problem.nameless') }
    if (!isDate(spentOn.value)) return { field: 'spentOn', text: t('quickAdd.problem.dateless') }
    return null
  }

  /** Why that field is wrong, for the field. */
  function errorOf(field: Field): string | null {
    return problem.value?.field === field ? problem.value.text || null : null
  }

  /** Takes a refused expense back into the form. */
  function takeBack(entry: Entry) {
    if (entry.command.kind !== 'add') return
    correct(entry.command.input, locale.value)
    outbox.dismiss(entry.key)
    if (last.value?.key === entry.key) last.value = null
  }

  return { draft, amount, spentOn, currency, category, last, lastMoney, problem, take, add, errorOf, takeBack }
}

/** Some browsers forbid even to ask for it. */
function storage(): Storage | null {
  try {
    return sessionStorage
  } catch {
    return null
  }
}
