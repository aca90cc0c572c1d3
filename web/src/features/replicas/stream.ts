/**
 * The stream of revisions: what each changed, and when this page learned that each replica has it. Built from the
 * batches of the feed and the moments of the cluster, in whichever order they come.
 */
import type { Moment } from '@/cluster/replica'
import type { Batch } from '@/feed/feed'
import { deedsOf, type Deed, type DeedKind } from './deeds'

/** Most rows; the oldest go first. */
export const MAX_ROWS = 200
/** So many rows within a second are a burst: what follows is told together, */
const BURST_ROWS = 5
const BURST_WITHIN = 1_000
/** until there is a gap of so many milliseconds, or the row is that long. */
const BURST_GAP = 400
const BURST_LENGTH = 5_000

/** One replica's place in a row. */
export interface Cell {
  replica: string
  /** How much of the row its database has: 1 is all of it. */
  share: number
  /** When this page learned that it has all; null while it has not, or where it had it before the page looked. */
  at: number | null
  /** Milliseconds after the first replica that had it; null where that is not known. */
  after: number | null
}

/** One revision, or a burst of them. */
export interface Row {
  from: bigint
  to: bigint
  /** When the first and the last mutation were made, in milliseconds. */
  begun: number
  ended: number
  /** True where it takes in what follows closely. */
  burst: boolean
  counts: Partial<Record<DeedKind, number>>
  /** The one change, where it is one. */
  only: Deed | null
  cells: readonly Cell[]
}

/** The rows with a batch more, newest first. */
export function withBatch(rows: readonly Row[], batch: Batch, past: readonly Moment[]): readonly Row[] {
  const deeds = deedsOf(batch)
  const revision = BigInt(batch.revision)
  const at = Date.parse(batch.committedAt)
  const newest = rows[0]
  if (newest && revision <= newest.to) return rows
  const counts: Row['counts'] = {}
  for (const { kind } of deeds) counts[kind] = (counts[kind] ?? 0) + 1
  const only = deeds.length === 1 ? (deeds[0] ?? null) : null

  const close = newest !== undefined && at - newest.ended <= BURST_GAP
  if (close && newest.burst && at - newest.begun <= BURST_LENGTH) {
    const { from, begun } = newest
    const all = { ...newest.counts }
    for (const { kind } of deeds) all[kind] = (all[kind] ?? 0) + 1
    const cells = cellsOf(from, revision, past)
    return [{ from, to: revision, begun, ended: at, burst: true, counts: all, only: null, cells }, ...rows.slice(1)]
  }
  const recent = rows.slice(0, BURST_ROWS).filter((row) => at - row.begun <= BURST_WITHIN).length
  const burst = close && (newest.burst || recent >= BURST_ROWS - 1)
  const cells = cellsOf(revision, revision, past)
  return [{ from: revision, to: revision, begun: at, ended: at, burst, counts, only, cells }, ...rows].slice(0, MAX_ROWS)
}

/** The rows after a moment more. Rows in which nothing changes stay the same objects. */
export function withMoment(rows: readonly Row[], moment: Moment): readonly Row[] {
  if (!rows.some(isOpen)) return rows
  const revisions = new Map(moment.replicas.map(({ id, revision }) => [id, BigInt(revision)]))
  let changed = false
  const next = rows.map((row) => {
    if (!isOpen(row)) return row
    const cells = row.cells.map((cell) => {
      const share = shareOf(row.from, row.to, revisions.get(cell.replica) ?? 0n)
      if (share <= cell.share) return cell
      return { ...cell, share, at: share === 1 ? moment.at : null }
    })
    // A replica that joins has a place from now on.
    for (const [replica, revision] of revisions)
      if (!cells.some((cell) => cell.replica === replica))
        cells.push({ replica, share: shareOf(row.from, row.to, revision), at: null, after: null })
    if (cells.length === row.cells.length && cells.every((cell, index) => cell === row.cells[index])) return row
    changed = true
    return { ...row, cells: timed(cells) }
  })
  return changed ? next : rows
}

/** True while a replica is missing. */
function isOpen({ cells }: Row): boolean {
  return cells.length === 0 || cells.some(({ share }) => share < 1)
}

function cellsOf(from: bigint, to: bigint, past: readonly Moment[]): Cell[] {
  const replicas = past.at(-1)?.replicas ?? []
  return timed(
    replicas.map(({ id, revision }) => {
      const share = shareOf(from, to, BigInt(revision))
      return { replica: id, share, at: share === 1 ? firstWith(past, id, to) : null, after: null }
    }),
  )
}

/** When the page learned that the replica has the revision; null where the first moment said so already. */
function firstWith(past: readonly Moment[], id: string, revision: bigint): number | null {
  // A replica's revision does not go back, so halving finds it.
  let [low, high] = [0, past.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    const replica = past[middle]?.replicas.find((each) => each.id === id)
    if (replica && BigInt(replica.revision) >= revision) high = middle
    else low = middle + 1
  }
  return low === 0 ? null : (past[low]?.at ?? null)
}

/** The cells with their distance from the first; where one had it before the page looked, there is none to tell. */
function timed(cells: readonly Cell[]): Cell[] {
  const known = cells.every(({ share, at }) => share < 1 || at !== null)
  const first = Math.min(...cells.flatMap(({ at }) => at ?? []))
  return cells.map((cell) => {
    const after = known && cell.at !== null ? cell.at - first : null
    return after === cell.after ? cell : { ...cell, after }
  })
}

function shareOf(from: bigint, to: bigint, revision: bigint): number {
  if (revision >= to) return 1
  return revision < from ? 0 : Number(revision - from + 1n) / Number(to - from + 1n)
}
