/** One expense as each replica's own database holds it: read from all of them at once, and again when it changes. */
import { useClientHandle } from '@urql/vue'
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import { isReachable, type Replica } from '@/cluster/replica'
import { ExpenseFields } from '@/feed/fields'
import { graphql, readFragment } from '@/graphql/generated'
import { readLocally } from '@/graphql/local-read'
import { useServices } from '@/services'
import { deedsOf } from './deeds'
import { agree, type Reading, type Version } from './versions'

/** Answers are shown together so that they compare; one that takes longer (milliseconds) comes later. */
const PATIENCE = 600
/** Waits before copies that differ are read again, in milliseconds, as often as there are waits. */
const AGAIN = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]

const ExpenseOnReplica = graphql(`
  query ExpenseOnReplica($id: UUID!) {
    replica {
      id
      revision
    }
    expense(id: $id) {
      ...ExpenseFields
    }
  }
`)

export interface Versions {
  versions: Readonly<ShallowRef<readonly Version[]>>
  /** When the last answers were asked for, in milliseconds; null before the first. */
  readAt: Readonly<Ref<number | null>>
  read: () => void
}

export function useVersions(id: () => string | null): Versions {
  const { client } = useClientHandle()
  const { cluster, endpoints, feed } = useServices()
  const versions = shallowRef<readonly Version[]>([])
  const readAt = ref<number | null>(null)
  /** True while answers are waited for. */
  let reading = false
  let wanted = false
  let tries = 0
  let closed = false
  let retry: ReturnType<typeof setTimeout> | undefined

  /** Reads now, or as soon as the answers to the last question are here. */
  function read() {
    clearTimeout(retry)
    tries = 0
    wanted = true
    void round()
  }

  async function round() {
    const expense = id()
    if (reading || expense === null) return
    wanted = false
    reading = true
    readAt.value = Date.now()
    const asked: Version[] = cluster.replicas.value.map(({ id: replica }) => ({ replica, reading: { state: 'reading' } }))
    let late = false
    const show = () => (versions.value = asked.map((version) => ({ ...version })))
    const patience = setTimeout(() => {
      late = true
      show()
    }, PATIENCE)
    await Promise.all(
      cluster.replicas.value.map(async (replica, index) => {
        const answer = await ask(replica, expense)
        const version = asked[index]
        if (version) version.reading = answer
        if (late) show()
      }),
    )
    clearTimeout(patience)
    reading = false
    if (closed) return
    if (expense === id()) show()
    if (wanted || expense !== id()) void round()
    else if (differ(asked)) retry = setTimeout(() => void round(), AGAIN[tries++])
  }

  /** Copies that differ may be on their way to be equal. */
  function differ(asked: readonly Version[]): boolean {
    const answered = asked.filter((version) => version.reading.state === 'read').length
    return answered > 1 && !agree(asked) && tries < AGAIN.length
  }

  async function ask(replica: Replica, expense: string): Promise<Reading> {
    const begun = performance.now()
    const result = await readLocally(client, addressOf(replica), ExpenseOnReplica, { id: expense })
    const { data } = result
    if (!data) return { state: 'down' }
    return {
      state: 'read',
      revision: data.replica.revision,
      expense: readFragment(ExpenseFields, data.expense) ?? null,
      took: performance.now() - begun,
    }
  }

  /** The name by which this page knows the replica: its own goes by the page's origin. */
  function addressOf({ id: replica, url }: Replica): string {
    return endpoints.state.list.find(({ replicaId }) => replicaId === replica)?.url ?? url
  }

  const stop = feed.listen((message) => {
    if (message.type === 'resync' || deedsOf(message.batch).some((deed) => deed.id === id())) read()
  })
  watch(id, () => {
    versions.value = []
    readAt.value = null
    read()
  })
  /** Who can be asked; also when the replicas become known at all. */
  watch(() => cluster.replicas.value.filter(isReachable).map((replica) => replica.id).join(), read, { immediate: true })
  onScopeDispose(() => {
    closed = true
    clearTimeout(retry)
    stop()
  })
  return { versions, readAt, read }
}
