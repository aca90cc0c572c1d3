/**
 * The language of the search box, without its meaning: words and `operator:value`, `-` for not, OR, parentheses,
 * quotes. Adjacent terms must all hold; OR binds less. Nothing that is typed makes it throw: what has no sense becomes
 * a problem, and the rest is read all the same.
 */
import { canonicalOperator, type Operator } from './operators'
import { tokens, type Token, type WordToken } from './tokens'

/** Longest text that is read. */
export const MAX_LENGTH = 1_000
/** Deepest that parentheses are nested. */
const MAX_DEPTH = 8

/** Where something stands in the text. */
export interface Span {
  from: number
  to: number
}

export interface Term extends Span {
  type: 'term'
  operator: Operator
  value: string
}

export type Node = Term | (Span & { type: 'not'; of: Node }) | (Span & { type: 'all' | 'any'; of: readonly Node[] })

/** What is wrong with the form of a query; see `query.ts` for what can be wrong with a term. */
export type SyntaxProblemCode = 'unknown' | 'missing' | 'quote' | 'unclosed' | 'unopened' | 'empty' | 'or' | 'lonely' | 'deep' | 'long'

export interface SyntaxProblem extends Span {
  code: SyntaxProblemCode
  /** The part of the text that it is about. */
  value: string
}

export interface Syntax {
  /** Null where nothing is asked for. */
  tree: Node | null
  problems: SyntaxProblem[]
}

export function parseSyntax(text: string): Syntax {
  const parser = new Parser(text.slice(0, MAX_LENGTH))
  if (text.length > MAX_LENGTH) parser.problem('long', { from: MAX_LENGTH, to: text.length })
  return { tree: parser.any(0), problems: parser.problems }
}

/** The parts that must all hold. */
export function topLevel(tree: Node | null): readonly Node[] {
  if (!tree) return []
  return tree.type === 'all' ? tree.of : [tree]
}

class Parser {
  readonly problems: SyntaxProblem[] = []
  private readonly tokens: readonly Token[]
  private at = 0

  constructor(private readonly text: string) {
    this.tokens = this.balanced(tokens(text))
  }

  problem(code: SyntaxProblemCode, { from, to }: Span, value = this.text.slice(from, to)) {
    this.problems.push({ code, from, to, value })
  }

  /** Alternatives: all { OR all } */
  any(depth: number): Node | null {
    const found: Node[] = []
    let wanted: Token | null = null
    for (;;) {
      const start = this.at
      const next = this.all(depth)
      if (next) found.push(next)
      // A side that is there and wrong has said so itself.
      else if (this.at === start && (wanted ?? this.peek('or'))) this.problem('or', wanted ?? this.here())
      wanted = this.take('or')
      if (!wanted) return group('any', found)
    }
  }

  /** Everything up to OR, the end, or a closing parenthesis. */
  private all(depth: number): Node | null {
    const found: Node[] = []
    while (this.at < this.tokens.length && !this.peek('or') && !this.peek('close')) {
      const next = this.one(depth)
      if (next) found.push(next)
    }
    return group('all', found)
  }

  private one(depth: number): Node | null {
    const first = this.take('not')
    let negated = Boolean(first)
    let last = first
    for (let next = this.take('not'); next; next = this.take('not')) {
      negated = !negated
      last = next
    }
    if (last && (this.at >= this.tokens.length || this.peek('or') || this.peek('close'))) {
      this.problem('lonely', last)
      return null
    }
    const node = this.bare(depth)
    if (!node || !first) return node
    const span = { from: first.from, to: node.to }
    if (node.type === 'not') return negated ? { ...node.of, ...span } : { ...node, ...span }
    return negated ? { type: 'not', of: node, ...span } : { ...node, ...span }
  }

  private bare(depth: number): Node | null {
    const token = this.tokens[this.at]
    this.at += 1
    if (token?.type === 'word') return this.term(token)
    if (token?.type !== 'open') return null
    const start = this.at
    const inner = depth < MAX_DEPTH ? this.any(depth + 1) : this.skip(token)
    const close = this.take('close')
    const span = { from: token.from, to: close?.to ?? this.text.length }
    if (this.at - start === (close ? 1 : 0)) this.problem('empty', span)
    return inner && { ...inner, ...span }
  }

  /** Leaves out what is nested too deeply. */
  private skip(open: Token): null {
    this.problem('deep', open)
    for (let depth = 1; this.at < this.tokens.length; this.at += 1) {
      if (this.peek('open')) depth += 1
      else if (this.peek('close')) depth -= 1
      if (depth === 0) break
    }
    return null
  }

  private term(token: WordToken): Term | null {
    const { from, to, value, prefix } = token
    if (!token.closed) this.problem('quote', { from, to: from + 1 })
    const operator = prefix === null ? 'text' : canonicalOperator(prefix)
    if (!operator) this.problem('unknown', token, prefix ?? '')
    else if (value.trim() === '') this.problem('missing', token, prefix ?? '')
    else return { type: 'term', operator, value: value.trim(), from, to }
    return null
  }

  /** Closing parentheses that nothing has opened are left out; missing ones stand at the end. */
  private balanced(all: readonly Token[]): Token[] {
    const open: Token[] = []
    const kept = all.filter((token) => {
      if (token.type === 'open') open.push(token)
      if (token.type !== 'close' || open.pop()) return true
      this.problem('unopened', token)
      return false
    })
    for (const token of open) this.problem('unclosed', token)
    return kept
  }

  private peek(type: Token['type']): boolean {
    return this.tokens[this.at]?.type === type
  }

  private here(): Span {
    return this.tokens[this.at] ?? { from: this.text.length, to: this.text.length }
  }

  private take(type: Token['type']): Token | null {
    const token = this.tokens[this.at]
    if (token?.type !== type) return null
    this.at += 1
    return token
  }
}

/** The nodes together: groups of the same kind become one, and a group of one is that one. */
function group(type: 'all' | 'any', nodes: readonly Node[]): Node | null {
  const of = nodes.flatMap((node) => (node.type === type ? node.of : [node]))
  const [first] = nodes
  const last = nodes.at(-1)
  if (!first || !last) return null
  return nodes.length === 1 ? first : { type, of, from: first.from, to: last.to }
}
