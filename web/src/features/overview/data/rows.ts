/** Totals as the API gives them, and what every chart makes of them first. */
import { graphql } from '@/graphql/generated'
import type { OverviewDayFragment, OverviewMonthFragment } from '@/graphql/generated/graphql'
import { decimalsOf, fromMinor, type Money } from '@/format/money'

export const MonthFields = graphql(`
  fragment OverviewMonth on SummaryRow {
    month
    category {
      id
      name
      color
    }
    total {
      amount
      minorUnits
    }
    count
  }
`)

export const DayFields = graphql(`
  fragment OverviewDay on SummaryRow {
    day
    total {
      minorUnits
    }
    count
  }
`)

export type CategoryRef = NonNullable<OverviewMonthFragment['category']>

/** The total of a category in a month. */
export interface MonthTotal {
  month: string
  /** Null for expenses without one. */
  category: CategoryRef | null
  total: bigint
  count: number
}

export interface DayTotal {
  day: string
  total: bigint
  count: number
}

/** What amounts are counted in. */
export interface Scale {
  currency: string
  /** Of the currency's smallest unit. */
  decimals: number
}

export function monthTotals(rows: readonly OverviewMonthFragment[]): MonthTotal[] {
  return rows.map(({ month, category, total, count }) => ({
    month: month ?? '',
    category: category ?? null,
    total: BigInt(total.minorUnits),
    count,
  }))
}

export function dayTotals(rows: readonly OverviewDayFragment[]): DayTotal[] {
  return rows.map(({ day, total, count }) => ({ day: day ?? '', total: BigInt(total.minorUnits), count }))
}

/** The replicas know best how many decimals a currency has; without a row, the browser is asked. */
export function scaleOf(currency: string, rows: readonly OverviewMonthFragment[]): Scale {
  const amount = rows[0]?.total.amount
  return { currency, decimals: amount === undefined ? decimalsOf(currency) : (amount.split('.')[1]?.length ?? 0) }
}

/** An exact amount of that scale. */
export function moneyOf({ currency, decimals }: Scale, minor: bigint): Money {
  return { amount: fromMinor(minor, decimals), currency }
}

/** A category in keys and addresses. */
export function categoryKey(category: { id: string } | null): string {
  return category?.id ?? 'none'
}

export function sumOf(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n)
}
