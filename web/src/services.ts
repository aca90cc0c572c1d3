/** What the whole page shares, put together once. Parts of the page take what they need with `useServices`. */
import type { Client } from '@urql/core'
import { inject, watch, type App, type InjectionKey } from 'vue'
import { createCluster, type Cluster } from '@/cluster/cluster'
import { createFeed, type Feed } from '@/feed/feed'
import { createAccess, type Access } from '@/graphql/access'
import { createClient } from '@/graphql/client'
import { createEndpoints, type Endpoints } from '@/graphql/endpoints'
import { createSocket, type Socket } from '@/graphql/socket'
import { openDatabase } from '@/offline/database'
import { keptAnswersExchange } from '@/offline/kept-answers'
import { send } from '@/outbox/mutations'
import { createOutbox, type Outbox } from '@/outbox/outbox'

export interface Services {
  endpoints: Endpoints
  access: Access
  client: Client
  socket: Socket
  feed: Feed
  cluster: Cluster
  outbox: Outbox
}

const key: InjectionKey<Services> = Symbol('services')

/** Puts the services together for a page from that origin. Nothing is sent before `start`. */
export function createServices(origin: string, storage: Storage | null): Services {
  const database = openDatabase()
  const endpoints = createEndpoints(origin, storage)
  const access = createAccess(storage)
  const client = createClient(endpoints, access, [keptAnswersExchange(database)])
  const socket = createSocket(endpoints, access)
  const outbox = createOutbox({ database, send: (key, command) => send(client, key, command) })
  return {
    endpoints,
    access,
    client,
    socket,
    outbox,
    feed: createFeed(socket),
    cluster: createCluster(socket, endpoints),
  }
}

export function start(services: Services) {
  services.feed.start()
  services.cluster.start()
  void services.outbox.start()
  // A replica answers again, or the person is let in: what waits is sent at once.
  watch(
    () => [services.endpoints.state.reachability, services.access.state.token],
    ([reachability]) => {
      if (reachability !== 'online') return
      services.outbox.again()
      void services.outbox.takeOver()
    },
  )
}

export function provideServices(app: App, services: Services) {
  app.provide(key, services)
}

export function useServices(): Services {
  const services = inject(key)
  if (!services) throw new Error('the services are not provided')
  return services
}

export { key as servicesKey }
