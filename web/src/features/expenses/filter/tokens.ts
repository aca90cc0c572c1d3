/** The pieces that a query is typed in. */
import type { Span } from './syntax'

export type WordToken = Span & {
  type: 'word'
  /** What stands ahead of the colon, if anything does. */
  prefix: string | null
  value: string
  /** False where a quotation mark is missing at the end. */
  closed: boolean
}
export type Token = WordToken | (Span & { type: 'open' | 'close' | 'not' | 'or' | 'and' })

/** Letters and a colon, unless it is an address. */
export const PREFIX = /^(\p{L}[\p{L}-]*):(?!\/\/)/u
/** What ends a word, and so must be quoted to be part of one. */
export const SPECIAL = /[\s()"“”„]/

const QUOTE = /^["“”„]/
const QUOTED = /^["“”„]((?:\\.|[^"“”„\\])*)(["“”„]?)/su
const BARE = /^[^\s()"“”„]*/u

/** Words that are none, as long as nobody quotes them. */
const CONNECTIVES: Readonly<Record<string, 'or' | 'and' | 'not'>> = {
  OR: 'or',
  ODER: 'or',
  '|': 'or',
  AND: 'and',
  UND: 'and',
  NOT: 'not',
  NICHT: 'not',
}

export function isConnective(word: string): boolean {
  return Object.hasOwn(CONNECTIVES, word)
}

export function tokens(text: string): Token[] {
  const found: Token[] = []
  let at = 0
  while (at < text.length) {
    const rest = text.slice(at)
    const blank = /^\s+/.exec(rest)?.[0].length ?? 0
    if (blank > 0) {
      at += blank
      continue
    }
    const token = next(rest, at)
    at = token.to
    // Adjacent terms must all hold anyway.
    if (token.type !== 'and') found.push(token)
  }
  return found
}

function next(rest: string, from: number): Token {
  const sign = rest[0]
  if (sign === '(') return { type: 'open', from, to: from + 1 }
  if (sign === ')') return { type: 'close', from, to: from + 1 }
  if (sign === '-' && /^-[^\s)]/.test(rest)) return { type: 'not', from, to: from + 1 }
  const bare = BARE.exec(rest)?.[0] ?? ''
  if (isConnective(bare)) return { type: CONNECTIVES[bare] ?? 'and', from, to: from + bare.length }
  return word(rest, from)
}

function word(rest: string, from: number): WordToken {
  const [head = '', prefix = null] = PREFIX.exec(rest) ?? []
  const tail = rest.slice(head.length)
  if (QUOTE.test(tail)) {
    const [whole = '', inner = '', closing] = QUOTED.exec(tail) ?? []
    // A lone backslash at the very end matches nothing: it belongs to what is quoted.
    const length = closing ? whole.length : tail.length
    const value = (closing ? inner : tail.slice(1)).replace(/\\(.)/gsu, '$1')
    return { type: 'word', prefix, value, closed: Boolean(closing), from, to: from + head.length + length }
  }
  const value = BARE.exec(tail)?.[0] ?? ''
  return { type: 'word', prefix, value, closed: true, from, to: from + head.length + value.length }
}
