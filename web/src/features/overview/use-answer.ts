/** A query's answer, kept as it is on the replicas: asked again when the feed brings something that changes it. */
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import type { AnyVariables, CombinedError } from '@urql/core'
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { FeedMessage } from '@/feed/feed'
import { keptAt } from '@/offline/kept-answers'
import { whenOnline } from '@/offline/when-online'
import { useServices } from '@/services'

/** The least time between two questions that changes cause, in milliseconds. */
const LEAST_PAUSE = 1_000
/** How long a first change waits for those that come with it, in milliseconds. */
const SETTLE = 100

export interface Answer<Input, Data> {
  /** What was asked: an answer is shown until the next one is there. */
  input: Input
  data: Data
  /** When it was true, if it is not of now. */
  keptAt: number | null
}

export interface LiveAnswer<Input, Data> {
  answer: Readonly<ShallowRef<Answer<Input, Data> | null>>
  /** Why the last question has no answer; null while it has. */
  failed: Readonly<ShallowRef<CombinedError | null>>
  waiting: Readonly<Ref<boolean>>
  again: () => void
}

export interface Question<Input, Data, Variables extends AnyVariables> {
  query: TypedDocumentNode<Data, Variables>
  /** What is asked for; null: nothing for now. */
  input: () => Input | null
  variables: (input: Input) => Variables
  /** True for changes after which the answer may be another. */
  touched: (message: FeedMessage, input: Input) => boolean
}

export function useAnswer<Input, Data, Variables extends AnyVariables>({
  query,
  input,
  variables,
  touched,
}: Question<Input, Data, Variables>): LiveAnswer<Input, Data> {
  const { client, feed } = useServices()
  const answer = shallowRef<Answer<Input, Data> | null>(null)
  const failed = shallowRef<CombinedError | null>(null)
  const waiting = ref(false)
  let asked: Input | null = null
  let askedAt = 0
  let running: { unsubscribe: () => void } | undefined
  let timer: ReturnType<typeof setTimeout> | undefined

  function ask() {
    clearTimeout(timer)
    timer = undefined
    running?.unsubscribe()
    const now = (asked = input())
    waiting.value = now !== null
    if (now === null) return
    askedAt = Date.now()
    const source = client.query(query, variables(now), { keep: true, requestPolicy: 'network-only' })
    running = source.subscribe((result) => {
      waiting.value = false
      failed.value = result.error ?? null
      if (result.data) answer.value = { input: now, data: result.data, keptAt: keptAt(result) }
    })
  }

  watch(() => JSON.stringify(input()), ask, { immediate: true })
  const stop = feed.listen((message) => {
    if (asked === null || !touched(message, asked)) return
    timer ??= setTimeout(ask, Math.max(SETTLE, askedAt + LEAST_PAUSE - Date.now()))
  })
  whenOnline(ask)
  onScopeDispose(() => {
    clearTimeout(timer)
    running?.unsubscribe()
    stop()
  })

  return { answer, failed, waiting, again: ask }
}
