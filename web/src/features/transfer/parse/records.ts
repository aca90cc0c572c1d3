/**
 * The records of a CSV text, one after the other, each with its line.
 *
 * The rules are those of `threefold import`: a record ends at a line end outside of quotes, blank lines are none, a
 * quote counts only at the beginning of a field. Both thus number the rows of a file alike, which is what makes a row
 * the same expense wherever it is imported. A parser that mends more would number some files differently.
 */
export interface CsvRecord {
  /** Position among the records, the header included, counted from 0. */
  index: number
  /** Line on which it begins, counted from 1. */
  line: number
  fields: string[]
  /** False where a quote is opened and never closed: the record then holds the rest of the file. */
  closed: boolean
}

export function* records(source: string, delimiter: string): Generator<CsvRecord, void> {
  // Files of very old programs end lines with a carriage return alone.
  const text = source.includes('\n') ? source : source.replaceAll('\r', '\n')
  const nextDelimiter = finder(text, delimiter)
  const nextLineEnd = finder(text, '\n')
  let index = 0
  let line = 1
  let at = 0

  while (at < text.length) {
    if (text[at] === '\n') {
      at += 1
      line += 1
      continue
    }
    const record: CsvRecord = { index, line, fields: [], closed: true }
    const blank = text.startsWith('\r\n', at)
    for (let more = true; more; ) {
      let field = ''
      if (text[at] === '"') {
        const quoted = readQuoted(text, at)
        field = quoted.value
        record.closed = quoted.closed
        line += lineEnds(field)
        at = quoted.end
      }
      const lineEnd = nextLineEnd(at)
      const end = Math.min(nextDelimiter(at), lineEnd)
      field += text.slice(at, end)
      more = end < lineEnd
      at = end + 1
      record.fields.push(more ? field : field.replace(/\r$/, ''))
    }
    line += 1
    if (blank) continue
    index += 1
    yield record
  }
}

/** The field in quotes that begins there. A quote is written twice inside. */
function readQuoted(text: string, begin: number): { value: string; end: number; closed: boolean } {
  let value = ''
  for (let from = begin + 1; ; ) {
    const quote = text.indexOf('"', from)
    if (quote < 0) return { value: value + text.slice(from), end: text.length, closed: false }
    value += text.slice(from, quote)
    if (text[quote + 1] !== '"') return { value, end: quote + 1, closed: true }
    value += '"'
    from = quote + 2
  }
}

/** Finds the next such character from a place on; each part of the text is searched once. */
function finder(text: string, character: string): (from: number) => number {
  let found = -1
  return (from) => {
    if (found < from) {
      found = text.indexOf(character, from)
      if (found < 0) found = text.length
    }
    return found
  }
}

function lineEnds(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
  return count
}
