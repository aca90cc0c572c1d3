/** What was spent in this month, by category and currency, live. */
import { useQuery } from '@urql/vue'
import { computed, onScopeDispose, type ComputedRef } from 'vue'
import { firstDay, lastDay, monthOf, type CalendarMonth } from '@/format/date'
import type { Money } from '@/format/money'
import { useToday } from '@/format/useToday'
import { graphql } from '@/graphql/generated'
import { whenOnline } from '@/offline/when-online'
import { useServices } from '@/services'

/** The longest that a burst of changes may wait to be counted, in milliseconds. */
const SETTLE = 300

const MonthTotals = graphql(`
  query MonthTotals($month: ExpenseFilter!) {
    summary(filter: $month, groupBy: [CATEGORY]) {
      category {
        id
      }
      total {
        amount
        currency
      }
    }
    uncategorised: summary(filter: { uncategorised: true }, groupBy: []) {
      count
    }
  }
`)

export interface MonthTotals {
  month: ComputedRef<CalendarMonth>
  /** By id of the category; null for none. */
  totals: ComputedRef<ReadonlyMap<string | null, readonly Money[]>>
  /** Live expenses without a category. */
  uncategorised: ComputedRef<number>
}

export function useMonthTotals(): MonthTotals {
  const { feed } = useServices()
  const today = useToday()
  const month = computed(() => monthOf(today.value))
  const variables = computed(() => ({ month: { spentFrom: firstDay(month.value), spentTo: lastDay(month.value) } }))
  const { data, executeQuery } = useQuery({ query: MonthTotals, variables, context: { keep: true } })
  let reading: ReturnType<typeof setTimeout> | undefined

  function readSoon() {
    reading ??= setTimeout(() => {
      reading = undefined
      executeQuery({ requestPolicy: 'network-only', keep: true })
    }, SETTLE)
  }

  const stop = feed.listen(readSoon)
  whenOnline(readSoon)
  onScopeDispose(() => {
    clearTimeout(reading)
    stop()
  })

  return {
    month,
    totals: computed(() => {
      const found = new Map<string | null, Money[]>()
      for (const { category, total } of data.value?.summary ?? []) {
        const id = category?.id ?? null
        found.set(id, [...(found.get(id) ?? []), total])
      }
      return found
    }),
    uncategorised: computed(() => (data.value?.uncategorised ?? []).reduce((sum, { count }) => sum + count, 0)),
  }
}
