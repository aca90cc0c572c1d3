import { createGraphiQLFetcher } from '@graphiql/toolkit'

/**
 * Queries and mutations by POST, subscriptions over graphql-transport-ws, both at `/graphql` of the replica that served
 * the page.
 *
 * A browser cannot set headers on a WebSocket. The toolkit opens one socket a subscription and sends what stands in the
 * headers editor as the payload of `connection_init`, under the same names: `Authorization`, `Read-Consistency`,
 * `Min-Revision` and `Write-Acknowledgement` mean the same on both transports.
 *
 * @param {Pick<Location, 'origin'>} location
 */
export function createFetcher({ origin }) {
  const url = new URL('/graphql', origin)
  const subscriptionUrl = new URL(url)
  subscriptionUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'

  return createGraphiQLFetcher({
    url: url.href,
    subscriptionUrl: subscriptionUrl.href,
    // The API has no @defer or @stream: one request, one answer.
    enableIncrementalDelivery: false,
  })
}
