/** The currencies that people here use, and all the others. */
import { useQuery } from '@urql/vue'
import { computed, ref, type ComputedRef } from 'vue'
import { graphql } from '@/graphql/generated'

const STORAGE_KEY = 'threefold.currencies'
/** Most that are remembered. */
const MAX_RECENT = 5
/** Until the ledger is known. */
const FALLBACK = 'EUR'

const BaseCurrencyQuery = graphql(`
  query BaseCurrency {
    ledgers {
      id
      baseCurrency
    }
  }
`)

const recent = ref<readonly string[]>(read())

/** The last ones that were used on this machine, the newest first. */
export const recentCurrencies = computed(() => recent.value)

export function rememberCurrency(currency: string) {
  if (recent.value[0] === currency) return
  recent.value = [currency, ...recent.value.filter((other) => other !== currency)].slice(0, MAX_RECENT)
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(recent.value))
  } catch {
    // For this visit only.
  }
}

/** The currency of the default ledger; null until it is known. */
export function useBaseCurrency(): ComputedRef<string | null> {
  const { data } = useQuery({ query: BaseCurrencyQuery, variables: {}, context: { keep: true } })
  return computed(() => data.value?.ledgers[0]?.baseCurrency ?? null)
}

/** The currency that a new amount is most likely in. */
export function useUsualCurrency(): ComputedRef<string> {
  const base = useBaseCurrency()
  return computed(() => recent.value[0] ?? base.value ?? FALLBACK)
}

/** Every currency: those first, the others by code. */
export function allCurrencies(first: readonly (string | null)[]): string[] {
  return [...new Set([...first.filter((code) => code !== null), ...Intl.supportedValuesOf('currency')])]
}

function read(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '[]')
    return Array.isArray(stored) ? stored.filter(isCode).slice(0, MAX_RECENT) : []
  } catch {
    return []
  }
}

function isCode(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Z]{3}$/.test(value)
}
