/** The loaded part of a list, read page by page and kept as it is on the replicas by the feed. */
import type { Client, CombinedError } from '@urql/core'
import { onScopeDispose, reactive, readonly, shallowRef, watch } from 'vue'
import { ExpenseFields } from '@/feed/fields'
import { isAfter, type Batch, type Feed } from '@/feed/feed'
import { readFragment } from '@/graphql/generated'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import { keptAt } from '@/offline/kept-answers'
import { compact, withBatches, withPage, type Loaded, type Terms } from './loaded'
import { ExpenseListQuery } from './queries'

const PAGE = 100
/** Most rows in memory; whoever wants to see more of them filters. */
export const MAX_ROWS = 200_000
/** When a list must be read again, so many rows of it are at most, at once. */
const MAX_READ_AGAIN = 2_000
/** More changes than that at once, and reading again is less work. */
const MAX_CHANGES = 2_000
/** Wait before reading again what could not be brought up to date, in milliseconds: doubled up to the most. */
const FIRST_WAIT = 250
const MAX_WAIT = 8_000

export interface PagesOptions {
  client: Client
  feed: Feed
  /** Null as long as it is not known what is asked for. */
  filter: () => ExpenseFilter | null
  terms: () => Terms
  /** Changes have been applied; `touched` are the rows that show it. */
  onChanges?: (batches: readonly Batch[], touched: ReadonlySet<string>) => void
  /** The rows have been read from the top: what has changed since they were last read nobody was told. */
  onReread?: () => void
}

export type Pages = ReturnType<typeof usePages>

export function usePages({ client, feed, filter, terms, onChanges, onReread }: PagesOptions) {
  const loaded = shallowRef<Loaded | null>(null)
  const state = reactive({
    status: 'loading' as 'loading' | 'ready' | 'failed',
    error: null as CombinedError | null,
    loadingMore: false,
    moreFailed: false,
    /** When the rows were true, if they are not of now. */
    keptAt: null as number | null,
    /** True where no more rows may be loaded. */
    full: false,
  })
  let cursor: string | null = null
  /** Answers to earlier questions than this one come too late. */
  let turn = 0
  let frame = 0
  let wait = FIRST_WAIT
  let waiting: ReturnType<typeof setTimeout> | undefined

  async function readPage(after: string | null) {
    const variables = { filter: filter(), first: PAGE, after }
    const result = await client.query(ExpenseListQuery, variables, { keep: after === null }).toPromise()
    const connection = result.data?.expenses
    if (!connection) return { error: result.error ?? null, page: null, cursor: null, keptAt: null }
    const page = {
      rows: readFragment(ExpenseFields, connection.nodes).map(compact),
      more: connection.pageInfo.hasNextPage,
      revision: connection.revision,
    }
    return { error: null, page, cursor: connection.pageInfo.endCursor ?? null, keptAt: keptAt(result) }
  }

  /** Reads from the top: one page, or as much as was loaded, and shows it when it is all there. */
  async function begin(goal = 1) {
    const own = ++turn
    clearTimeout(waiting)
    waiting = undefined
    state.loadingMore = false
    state.moreFailed = false
    if (!loaded.value) state.status = 'loading'
    if (!filter()) return
    let next: Loaded | null = null
    let after: string | null = null
    let kept: number | null
    do {
      const read = await readPage(after)
      if (own !== turn) return
      if (!read.page || isOlder(read.keptAt)) {
        state.error = read.error
        // What is shown already is better than nothing.
        if (!loaded.value) state.status = 'failed'
        readAgainLater()
        return
      }
      next = withPage(next, read.page)
      if (next.revision !== read.page.revision && isAfter(next.revision, read.page.revision)) {
        // Another replica, which is behind: all that it lacks is applied from there.
        next = { ...next, revision: read.page.revision }
      }
      after = read.cursor
      kept = read.keptAt
    } while (next.end && next.rows.length < goal && kept === null)
    // A page that is on its way goes on from rows that may no longer be there.
    turn += 1
    state.loadingMore = false
    cursor = after
    state.keptAt = kept
    loaded.value = next
    state.error = null
    state.status = 'ready'
    state.full = false
    // A kept answer tells that no replica could give one: not whether one can in a moment.
    if (kept !== null) {
      readAgainLater()
      return
    }
    onReread?.()
    if (catchUp()) wait = FIRST_WAIT
  }

  /** True for a kept answer that is no newer than what is shown. */
  function isOlder(kept: number | null): boolean {
    return kept !== null && loaded.value !== null && (state.keptAt === null || kept <= state.keptAt)
  }

  /** Reads one page more, if there is one. */
  async function more() {
    const before = loaded.value
    if (!before?.end || state.loadingMore || state.keptAt !== null || waiting) return
    if (before.rows.length >= MAX_ROWS) {
      state.full = true
      return
    }
    const own = turn
    state.loadingMore = true
    state.moreFailed = false
    const read = await readPage(cursor)
    if (own !== turn) return
    state.loadingMore = false
    const now = loaded.value
    if (!read.page || !now) {
      state.moreFailed = true
      return
    }
    const missed = isAfter(now.revision, read.page.revision) ? feed.since(read.page.revision) : []
    if (!missed) {
      readAgainLater()
      return
    }
    cursor = read.cursor
    // What the other rows have already is told already; all that is newer is for `catchUp` to tell.
    const told = missed.filter(({ revision }) => !isAfter(revision, now.revision))
    const { loaded: next, unclear } = withBatches(withPage(now, read.page), told, terms())
    loaded.value = next
    if (unclear) readAgainLater()
    catchUp()
  }

  /** Applies what the feed has brought; false where that is not enough to be up to date. */
  function catchUp(): boolean {
    const before = loaded.value
    if (!before || state.keptAt !== null || feed.state.revision === null) return true
    const batches = feed.since(before.revision)
    if (!batches || batches.reduce((count, { changes }) => count + changes.length, 0) > MAX_CHANGES) {
      readAgainLater()
      return false
    }
    if (batches.length === 0) return true
    const { loaded: next, touched, unclear } = withBatches(before, batches, terms())
    loaded.value = next
    onChanges?.(batches, touched)
    if (unclear) readAgainLater()
    return !unclear
  }

  function readAgainLater() {
    if (waiting) return
    waiting = setTimeout(readAgain, wait)
    wait = Math.min(MAX_WAIT, wait * 2)
  }

  function readAgain() {
    void begin(Math.min(loaded.value?.rows.length ?? 1, MAX_READ_AGAIN))
  }

  // A burst of batches is applied once a frame.
  function schedule() {
    frame ||= requestAnimationFrame(() => {
      frame = 0
      catchUp()
    })
  }

  const stop = feed.listen((message) => {
    if (message.type === 'resync') readAgain()
    else schedule()
  })
  // What was read before the feed began may lack what came between.
  watch(
    () => feed.state.revision === null,
    (silent) => {
      if (!silent) schedule()
    },
  )
  watch(
    () => JSON.stringify(filter()),
    () => {
      wait = FIRST_WAIT
      // The rows of another filter must not stand under this one, least of all where it cannot be read.
      loaded.value = null
      state.keptAt = null
      void begin()
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    turn += 1
    stop()
    clearTimeout(waiting)
    cancelAnimationFrame(frame)
  })

  return { loaded, state: readonly(state), more, again: readAgain }
}
