/** Rows in chunks that are sent together. Where a chunk ends depends on the rows alone. */
import type { Row } from '../parse/rows'

/** Most rows of a chunk: few enough for a smooth progress and a quick cancel. */
export const MAX_CHUNK_ROWS = 500
/** Most characters of a chunk: a quarter of the bytes that the replicas take, as a character has up to four. */
const MAX_CHUNK_CHARACTERS = 200_000
/** Characters around the texts of a row: names, ids, punctuation. */
const ROW_CHARACTERS = 256

export interface Chunk {
  number: number
  rows: Row[]
}

export function* chunksOf(rows: readonly Row[]): Generator<Chunk, void> {
  let chunk: Chunk = { number: 0, rows: [] }
  let characters = 0
  for (const row of rows) {
    const more = ROW_CHARACTERS + row.description.length + (row.notes?.length ?? 0) + row.tags.join().length
    const full = chunk.rows.length === MAX_CHUNK_ROWS || characters + more > MAX_CHUNK_CHARACTERS
    if (full && chunk.rows.length > 0) {
      yield chunk
      chunk = { number: chunk.number + 1, rows: [] }
      characters = 0
    }
    chunk.rows.push(row)
    characters += more
  }
  if (chunk.rows.length > 0) yield chunk
}
