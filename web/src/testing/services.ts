/** Services for components under test: what a test does not give is not there. */
import type { Services } from '@/services'
import { servicesKey } from '@/services'

export function provided(services: { [Name in keyof Services]?: Partial<Services[Name]> }) {
  return { [servicesKey as symbol]: services as Services }
}
