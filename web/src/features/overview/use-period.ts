/** What the address says is shown: the period, its currency, and the category that is broken down. */
import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter, type RouteLocationRaw } from 'vue-router'
import { today } from '@/format/date'
import { exists, parsePeriod, shifted, type Period } from './period'

export interface Place {
  period: ComputedRef<Period>
  /** The one that is asked for; null for the usual one. */
  currency: ComputedRef<string | null>
  /** Its key: see `categoryKey`; null while all are shown. */
  category: ComputedRef<string | null>
  /** The address of another period, in the same currency. */
  to: (period: Period) => RouteLocationRaw
  toCurrency: (currency: string) => RouteLocationRaw
  toCategory: (key: string | null) => RouteLocationRaw
  /** Goes that many periods further, where there are any. */
  step: (steps: number) => void
  go: (period: Period) => void
}

export function usePlace(): Place {
  const route = useRoute()
  const router = useRouter()
  const period = computed(() => parsePeriod(route.query, today()))
  const currency = computed(() => {
    const { currency: asked } = route.query
    return typeof asked === 'string' && /^[A-Z]{3}$/.test(asked) ? asked : null
  })
  const category = computed(() => (typeof route.query['category'] === 'string' ? route.query['category'] : null))

  function address(shown: Period, shownCurrency: string | null, key: string | null): RouteLocationRaw {
    return {
      name: 'overview',
      query: {
        [shown.kind]: shown.key,
        ...(shownCurrency !== null && { currency: shownCurrency }),
        ...(key !== null && { category: key }),
      },
    }
  }
  const to = (shown: Period) => address(shown, currency.value, category.value)
  // The place on the page stays: figures change, not the page.
  const go = (shown: Period) => {
    if (exists(shown)) void router.push(to(shown))
  }

  return {
    period,
    currency,
    category,
    to,
    toCurrency: (asked) => address(period.value, asked, category.value),
    toCategory: (key) => address(period.value, currency.value, key),
    step: (steps) => go(shifted(period.value, steps)),
    go,
  }
}
