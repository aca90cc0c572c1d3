/** Reads what one replica's own database holds. */
import { createRequest, type AnyVariables, type Client, type OperationResult, type TypedDocumentNode } from '@urql/core'
import { filter, pipe, take, toPromise } from 'wonka'
import { fetchWithin } from './client'

/** How long the replica may take, in milliseconds: it waits for no other. */
const ANSWER_TIMEOUT = 4_000

let reads = 0

/**
 * Asks the replica at that address, and no other, for what it holds now. It is asked once; where it does not answer,
 * the page stays where it is.
 */
export function readLocally<Data, Variables extends AnyVariables>(
  client: Client,
  replica: string,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<OperationResult<Data, Variables>> {
  reads += 1
  // Operations with the same key share one answer, and the same read at three replicas would have it. Keys that are
  // made of a document and its variables are never negative.
  const request = { ...createRequest(document, variables), key: -reads }
  const operation = client.createRequestOperation<Data, Variables>('query', request, {
    replica: `${replica}/graphql`,
    requestPolicy: 'network-only',
    fetch: fetchWithin(ANSWER_TIMEOUT),
    fetchOptions: { headers: { 'read-consistency': 'local' } },
  })
  return pipe(
    client.executeRequestOperation(operation),
    filter(({ stale, hasNext }) => !stale && !hasNext),
    take(1),
    toPromise,
  )
}
