/** Numbers over time, from the moments of the cluster: a value a second for each replica. */
import type { Moment } from '@/cluster/replica'

/** Seconds that are drawn. */
export const SECONDS = 120

/** One replica's numbers, oldest first, a value a second; null where nothing is known yet. */
export interface Series {
  /** Revisions by which its database went on in that second, each a mutation. */
  writes: readonly (number | null)[]
  /** The most revisions that it was behind the leader in that second. */
  lag: readonly (number | null)[]
}

/** What a row of numbers comes to. */
export interface Gist {
  /** In the last second that is over. */
  now: number
  peak: number
}

/** The series of every replica, by id, up to `now` (milliseconds); the last second is not over yet. */
export function seriesOf(moments: readonly Moment[], now: number): Map<string, Series> {
  const ids = moments.at(-1)?.replicas.map(({ id }) => id) ?? []
  return new Map(ids.map((id) => [id, seriesOfOne(moments, id, now)]))
}

function seriesOfOne(moments: readonly Moment[], id: string, now: number): Series {
  const end = Math.floor(now / 1_000) + 1
  const start = end - SECONDS
  const writes: (number | null)[] = []
  const lags: (number | null)[] = []
  let revision: bigint | null = null
  let lag: number | null = null
  let index = 0
  // The round before the first second takes in all that came earlier.
  for (let second = start - 1; second < end; second += 1) {
    let before: bigint | null = revision
    let most = lag
    for (let moment = moments[index]; moment && moment.at < (second + 1) * 1_000; moment = moments[(index += 1)]) {
      const replica = moment.replicas.find((each) => each.id === id)
      if (!replica) continue
      revision = BigInt(replica.revision)
      before ??= revision
      lag = replica.lag
      most = Math.max(most ?? 0, lag)
    }
    if (second < start) continue
    writes.push(revision === null ? null : steps(before ?? revision, revision))
    lags.push(most)
  }
  return { writes, lag: lags }
}

/** A revision goes back only where a replica's data were replaced. */
function steps(from: bigint, to: bigint): number {
  return to > from ? Number(to - from) : 0
}

export function gistOf(values: readonly (number | null)[]): Gist {
  const known = values.filter((value) => value !== null)
  return { now: values.at(-2) ?? 0, peak: Math.max(0, ...known) }
}

/** One scale for all, so that they compare: the next of 5, 10, 20, 50, 100, ... above the highest value. */
export function scaleOf(all: Iterable<readonly (number | null)[]>): number {
  let peak = 0
  for (const values of all) peak = Math.max(peak, gistOf(values).peak)
  for (let power = 1; ; power *= 10) {
    const step = [5, 10, 20].find((each) => each * power >= peak)
    if (step) return step * power
  }
}
