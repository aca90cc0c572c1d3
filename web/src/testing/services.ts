/** Services for components under test: what a test does not give is quiet, or not there. */
import type { Services } from '@/services'
import { servicesKey } from '@/services'

/** A page that is online and hears of no change. */
export const QUIET = {
  endpoints: { state: { list: [], current: 0, reachability: 'online', moved: null } },
  feed: { state: { revision: '1', caughtUp: true }, listen: () => () => undefined },
}

export function provided(services: { [Name in keyof Services]?: Partial<Services[Name]> }) {
  return { [servicesKey as symbol]: { ...QUIET, ...services } as unknown as Services }
}
