/** The figures of the page: read, kept live, and made ready for its parts. */
import { computed, type ComputedRef } from 'vue'
import { firstDay, today } from '@/format/date'
import { readFragment } from '@/graphql/generated'
import type { FragmentType } from '@/graphql/generated'
import { breakdown, type Breakdown } from './data/categories'
import { chartColors } from './data/colors'
import { headline, type Headline } from './data/headline'
import { heat, type Heat } from './data/heat'
import { DayFields, dayTotals, MonthFields, monthTotals, scaleOf, type Scale } from './data/rows'
import { stack, type Stack } from './data/stack'
import { trend, type Trend } from './data/trend'
import { weekBegins } from './figures'
import { barMonths, daysNeeded, lastMonthOf, rangeOf, type Period, type Range } from './period'
import { CurrenciesQuery, PeriodQuery, TOP_COUNT } from './query'
import { touches } from './touches'
import { TopExpense } from './top-expense'
import { useAnswer } from './use-answer'
import type { Place } from './use-period'

/** A currency and how many expenses of the period are in it. */
export interface CurrencyCount {
  currency: string
  count: number
}

export interface Overview {
  period: Period
  scale: Scale
  headline: Headline
  breakdown: Breakdown
  stack: Stack
  trend: Trend
  heat: Heat
  /** Of the categories, by their key. */
  colors: ReadonlyMap<string, string>
  top: readonly FragmentType<typeof TopExpense>[]
}

/** The most used one of the period, else the ledger's. */
export function usualCurrency(counts: readonly CurrencyCount[], base: string | undefined): string | null {
  return [...counts].sort((a, b) => b.count - a.count)[0]?.currency ?? base ?? null
}

export function useOverview({ period, currency: asked }: Pick<Place, 'period' | 'currency'>) {
  const currencies = useAnswer({
    query: CurrenciesQuery,
    input: () => period.value,
    variables: rangeOf,
    touched: (message, shown) => touches(message, rangeOf(shown)),
  })
  const counts = computed<CurrencyCount[]>(
    () => currencies.answer.value?.data.summary.map(({ total, count }) => ({ currency: total.currency, count })) ?? [],
  )
  const currency = computed(
    () => asked.value ?? usualCurrency(counts.value, currencies.answer.value?.data.ledgers[0]?.baseCurrency),
  )

  const figures = useAnswer({
    query: PeriodQuery,
    input: () => {
      // What is usual in a period is known when its currencies are.
      const known = asked.value ?? (currencies.answer.value?.input.key === period.value.key ? currency.value : null)
      return known === null ? null : { period: period.value, currency: known }
    },
    variables: ({ period: shown, currency: of }) => ({
      currency: of,
      ...rangeOf(shown),
      monthsFrom: firstDay(barMonths(shown)[0] ?? ''),
      daysFrom: daysNeeded(shown).from,
      top: TOP_COUNT,
    }),
    touched: (message, { period: shown }) => touches(message, everyDay(shown)),
  })

  const overview: ComputedRef<Overview | null> = computed(() => {
    if (!figures.answer.value) return null
    const { data, input } = figures.answer.value
    const rows = readFragment(MonthFields, data.months)
    const months = monthTotals(rows)
    const days = dayTotals(readFragment(DayFields, data.days))
    const { from, to } = rangeOf(input.period)
    return {
      period: input.period,
      scale: scaleOf(input.currency, rows),
      headline: headline(days, input.period, today()),
      breakdown: breakdown(months, (month) => from <= firstDay(month) && firstDay(month) <= to),
      stack: stack(months, barMonths(input.period)),
      trend: trend(days, input.period, today()),
      heat: heat(days, lastMonthOf(input.period), weekBegins()),
      colors: chartColors(months.map(({ category }) => category)),
      top: data.top.nodes,
    }
  })

  return {
    overview,
    counts,
    currency,
    /** Another period than the one of the address is still shown. */
    behind: computed(() => figures.waiting.value || currencies.waiting.value),
    failed: computed(() => figures.failed.value ?? currencies.failed.value),
    keptAt: computed(() => figures.answer.value?.keptAt ?? null),
    again() {
      currencies.again()
      figures.again()
    },
  }
}

/** All days whose expenses are in some figure. */
function everyDay(period: Period): Range {
  const bars = firstDay(barMonths(period)[0] ?? '')
  const { from, to } = daysNeeded(period)
  return { from: bars < from ? bars : from, to }
}
