/** `amount:` and what comes after it. */
import Big from 'big.js'
import { readNumber } from '@/format/number'
import { readBounds, type Bound } from './bounds'
import type { Resolved } from './query'

/** Decimals of the API's bounds, and the least difference between two amounts. */
const DECIMALS = 4
const LEAST_STEP = new Big('0.0001')
/** More than any amount has. */
const MAX_WHOLE_DIGITS = 15

export function resolveAmount(value: string): Resolved {
  const bounds = readBounds(value, read)
  if (!bounds) return { problem: 'amount' }
  const least = atLeast(bounds.least)
  const most = atMost(bounds.most)
  if (least && most && least.gt(most)) return { problem: 'reversed' }
  return {
    filter: {
      ...(least && { minAmount: least.toFixed() }),
      ...(most && { maxAmount: most.toFixed() }),
    },
  }
}

function read(text: string): Big | null {
  const [, sign = '', digits = ''] = /^([-+−]?)\s*(.+)$/s.exec(text) ?? []
  // The same for everybody, whatever their locale: a link is passed on.
  const found = readNumber(digits, '.')
  if (!found) return null
  const [whole = '', fraction = ''] = found.number.split('.')
  const exact = fraction.replace(/0+$/, '')
  if (exact.length > DECIMALS || whole.replace(/^0+/, '').length > MAX_WHOLE_DIGITS) return null
  const number = new Big(found.number)
  return sign === '-' || sign === '−' ? number.times(-1) : number
}

function atLeast(bound: Bound<Big> | null): Big | null {
  return bound && (bound.inclusive ? bound.value : bound.value.plus(LEAST_STEP))
}

function atMost(bound: Bound<Big> | null): Big | null {
  return bound && (bound.inclusive ? bound.value : bound.value.minus(LEAST_STEP))
}
