/**
 * What people type as an amount: `12.50`, `1.234,50`, `12.50+3*2`, `(80-20)/3`. Worked out exactly, as fractions; only
 * a division may need rounding, once, at the end.
 */
import Big from 'big.js'
import { readNumber, type DecimalMark } from './number'

/** Longest text that is read. */
const MAX_LENGTH = 200
/** Deepest that parentheses and signs are nested. */
const MAX_DEPTH = 50
/** Most digits of an amount in its smallest units. */
const MAX_DIGITS = 15

/**
 * - `empty`: nothing was typed.
 * - `syntax`: this is no number and no calculation, or not yet.
 * - `decimals`: more decimals than the currency has.
 * - `zero`: an amount is never zero.
 * - `large`: more digits than an amount may have.
 * - `division`: by zero.
 */
export type Problem = 'empty' | 'syntax' | 'decimals' | 'zero' | 'large' | 'division'

export type Result =
  | {
      ok: true
      /** Exact, with all of the currency's decimals. */
      amount: string
      /** True where the text is more than the number itself: the person should see what it comes to. */
      calculated: boolean
      /** True where a division did not come out even. */
      rounded: boolean
    }
  | { ok: false; problem: Problem }

/** Works out an amount of a currency with that many decimals. */
export function evaluate(text: string, decimals: number, mark: DecimalMark): Result {
  const source = plain(text)
  if (source === '') return failed('empty')
  if (source.length > MAX_LENGTH) return failed('syntax')
  try {
    const parser = new Parser(source, mark)
    return inCurrency(parser.whole(), decimals, parser.calculated)
  } catch (error) {
    if (error instanceof Failure) return failed(error.problem)
    throw error
  }
}

class Failure extends Error {
  constructor(readonly problem: Problem) {
    super(problem)
  }
}

/** An exact fraction; `divided` where a division made it, which is what allows to round it. */
interface Fraction {
  over: Big
  under: Big
  divided: boolean
}

const ONE = new Big(1)

/** expression = term { (+|-) term }; term = factor { (*|/) factor }; factor = sign factor | ( expression ) | number */
class Parser {
  private at = 0
  private depth = 0
  /** Something had to be worked out or read with care. */
  calculated = false

  constructor(
    private readonly source: string,
    private readonly mark: DecimalMark,
  ) {}

  whole(): Fraction {
    const value = this.expression()
    if (this.at < this.source.length) throw new Failure('syntax')
    return value
  }

  private expression(): Fraction {
    let left = this.term()
    for (let sign = this.take('+-'); sign; sign = this.take('+-')) {
      left = add(left, sign === '-' ? negative(this.term()) : this.term())
      this.calculated = true
    }
    return left
  }

  private term(): Fraction {
    let left = this.factor()
    for (let sign = this.take('*/'); sign; sign = this.take('*/')) {
      left = sign === '/' ? divide(left, this.factor()) : multiply(left, this.factor())
      this.calculated = true
    }
    return left
  }

  private factor(): Fraction {
    this.depth += 1
    if (this.depth > MAX_DEPTH) throw new Failure('syntax')
    const value = this.signedOrNested()
    this.depth -= 1
    return value
  }

  private signedOrNested(): Fraction {
    const sign = this.take('+-')
    if (sign) return sign === '-' ? negative(this.factor()) : this.factor()
    if (!this.take('(')) return this.number()
    this.calculated = true
    const value = this.expression()
    if (!this.take(')')) throw new Failure('syntax')
    return value
  }

  private number(): Fraction {
    this.blank()
    const [literal] = /^[\d.,'\u00a0\u202f ]*/.exec(this.source.slice(this.at)) ?? ['']
    const read = readNumber(literal.trim(), this.mark)
    if (!read) throw new Failure('syntax')
    this.at += literal.length
    this.calculated ||= read.grouped
    return { over: new Big(read.number), under: ONE, divided: false }
  }

  private take(signs: string): string | null {
    this.blank()
    const next = this.source[this.at]
    if (next === undefined || !signs.includes(next)) return null
    this.at += 1
    return next
  }

  private blank() {
    while (/\s/.test(this.source[this.at] ?? '')) this.at += 1
  }
}

function add(a: Fraction, b: Fraction): Fraction {
  return {
    over: a.over.times(b.under).plus(b.over.times(a.under)),
    under: a.under.times(b.under),
    divided: a.divided || b.divided,
  }
}

function multiply(a: Fraction, b: Fraction): Fraction {
  return { over: a.over.times(b.over), under: a.under.times(b.under), divided: a.divided || b.divided }
}

function divide(a: Fraction, b: Fraction): Fraction {
  if (b.over.eq(0)) throw new Failure('division')
  return { over: a.over.times(b.under), under: a.under.times(b.over), divided: true }
}

function negative({ over, under, divided }: Fraction): Fraction {
  return { over: over.times(-1), under, divided }
}

function inCurrency(value: Fraction, decimals: number, calculated: boolean): Result {
  const amount = rounded(value, decimals)
  const exact = amount.times(value.under).eq(value.over)
  if (!exact && !value.divided) return failed('decimals')
  if (amount.eq(0)) return failed('zero')
  if (amount.abs().gte(new Big(10).pow(MAX_DIGITS - decimals))) return failed('large')
  return { ok: true, amount: amount.toFixed(decimals), calculated, rounded: !exact }
}

/** Half to even. */
function rounded({ over, under }: Fraction, decimals: number): Big {
  const [places, mode] = [Big.DP, Big.RM]
  Big.DP = decimals
  Big.RM = Big.roundHalfEven
  try {
    return over.div(under)
  } finally {
    Big.DP = places
    Big.RM = mode
  }
}

/** Without what people and other programs put around an amount; with one sign for each operation. */
function plain(text: string): string {
  return text
    .trim()
    .replace(/^=/, '')
    .replace(/^([-+−–]?)\s*\p{Sc}/u, '$1')
    .replace(/\p{Sc}$/u, '')
    .replace(/[−–]/g, '-')
    .replace(/[×·x]/gi, '*')
    .replace(/[÷:]/g, '/')
    .replace(/’/g, "'")
    .trim()
}

function failed(problem: Problem): Result {
  return { ok: false, problem }
}
