/** Exact totals, one a currency: currencies are never added together. */
import type { Expense } from '@/feed/expense'
import { fromMinor } from '@/format/money'

/** Sum and number of expenses in one currency. */
export interface CurrencyTotal {
  readonly currency: string
  readonly minor: bigint
  readonly decimals: number
  readonly count: number
}

/** By currency. */
export type Totals = ReadonlyMap<string, CurrencyTotal>

export interface SummedMoney {
  readonly amount: string
  readonly currency: string
  readonly minorUnits: string
}

export const NOTHING: Totals = new Map()

/** The totals of what a summary gives. */
export function totalsOf(rows: readonly { total: SummedMoney; count: number }[]): Totals {
  const totals = new Map<string, CurrencyTotal>()
  for (const { total, count } of rows) plus(totals, total, 1n, count)
  return totals
}

/** The totals of those rows from one index up to another. */
export function totalsBetween(rows: readonly Expense[], start: number, end: number): Totals {
  const totals = new Map<string, CurrencyTotal>()
  for (let index = start; index < end; index += 1) {
    const row = rows[index]
    if (row) plus(totals, row.amount, 1n, 1)
  }
  return totals
}

/** What became of an expense in a list: where it was not or is no longer part of it, there is none. */
export interface Effect {
  readonly before: Expense | null
  readonly after: Expense | null
}

/** The totals after those effects. */
export function withEffects(totals: Totals, effects: readonly Effect[]): Totals {
  if (effects.length === 0) return totals
  const next = new Map(totals)
  for (const { before, after } of effects) {
    if (before) plus(next, before.amount, -1n, -1)
    if (after) plus(next, after.amount, 1n, 1)
  }
  for (const [currency, { count }] of next) if (count <= 0) next.delete(currency)
  return next
}

/** How many expenses there are in all currencies. */
export function countOf(totals: Totals): number {
  let count = 0
  for (const total of totals.values()) count += total.count
  return count
}

/** As money to show, the currency with the most expenses first. */
export function moneyOf(totals: Totals): { amount: string; currency: string }[] {
  return [...totals.values()]
    .sort((a, b) => b.count - a.count || a.currency.localeCompare(b.currency))
    .map(({ minor, decimals, currency }) => ({ amount: fromMinor(minor, decimals), currency }))
}

function plus(totals: Map<string, CurrencyTotal>, money: SummedMoney, sign: bigint, count: number) {
  const { currency } = money
  const before = totals.get(currency)
  totals.set(currency, {
    currency,
    minor: (before?.minor ?? 0n) + sign * BigInt(money.minorUnits),
    decimals: before?.decimals ?? money.amount.split('.')[1]?.length ?? 0,
    count: (before?.count ?? 0) + count,
  })
}
