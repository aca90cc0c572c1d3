/** A client for components under test: it answers from memory, by the name of the operation. */
import { Client, getOperationName, makeResult, type Exchange } from '@urql/core'
import { filter, map, pipe } from 'wonka'
import { ref } from 'vue'

export type Answers = Record<string, (variables: Record<string, unknown>) => unknown>

export function answering(answers: Answers): Client {
  const exchange: Exchange = () => (operations) =>
    pipe(
      operations,
      filter(({ kind }) => kind !== 'teardown'),
      map((operation) => {
        const answer = answers[getOperationName(operation.query) ?? '']
        return makeResult(operation, { data: answer?.(operation.variables as Record<string, unknown>) ?? null })
      }),
    )
  return new Client({ url: 'http://test', preferGetMethod: false, requestPolicy: 'network-only', exchanges: [exchange] })
}

/** Provides the client to `useQuery`. */
export function providedClient(client: Client) {
  return { $urql: ref(client) }
}
