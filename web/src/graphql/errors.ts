/** What an error means for whoever sent the operation: the one place that reads codes. */
import type { CombinedError } from '@urql/core'

/** `extensions.code` of the API's errors. */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NO_LEADER'
  | 'NOT_ENOUGH_REPLICAS'
  | 'TIMEOUT'
  | 'TOO_COMPLEX'
  | 'TOO_LARGE'
  | 'RATE_LIMITED'
  | 'REPLICA_QUARANTINED'
  | 'INTERNAL'

/**
 * - `elsewhere`: this replica cannot; another may.
 * - `later`: the cluster cannot now; the same request may succeed in a while.
 * - `access`: the person must show that they may.
 * - `never`: the request itself is wrong.
 */
export type Remedy = 'elsewhere' | 'later' | 'access' | 'never'

const REMEDIES: Record<ErrorCode, Remedy> = {
  BAD_USER_INPUT: 'never',
  UNAUTHENTICATED: 'access',
  FORBIDDEN: 'never',
  NO_LEADER: 'elsewhere',
  NOT_ENOUGH_REPLICAS: 'later',
  TIMEOUT: 'later',
  TOO_COMPLEX: 'never',
  TOO_LARGE: 'never',
  RATE_LIMITED: 'later',
  REPLICA_QUARANTINED: 'elsewhere',
  INTERNAL: 'elsewhere',
}

/** The first code that an answer brings; null where no replica answered in GraphQL. */
export function codeOf(error: CombinedError): ErrorCode | null {
  for (const { extensions } of error.graphQLErrors) {
    const code = extensions?.['code']
    if (typeof code === 'string' && code in REMEDIES) return code as ErrorCode
  }
  return null
}

/** What can be done about an error. */
export function remedy(error: CombinedError): Remedy {
  const code = codeOf(error)
  if (code) return REMEDIES[code]
  // Errors of GraphQL without a code we know are about the request; all else is about the way to a replica.
  return error.graphQLErrors.length > 0 ? 'never' : 'elsewhere'
}
