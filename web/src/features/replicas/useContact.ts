/** When the replicas were last heard from. The live view tells of it only with other changes, so it is asked for. */
import { useClientHandle } from '@urql/vue'
import { onScopeDispose, readonly, shallowRef, type Ref } from 'vue'
import { graphql } from '@/graphql/generated'
import type { Contact } from './contact'

/** Between two questions, in milliseconds. */
const INTERVAL = 1_000

const ContactQuery = graphql(`
  query Contact {
    replica {
      id
    }
    replicas {
      id
      lastSeenAt
    }
  }
`)

/** The last contacts, and who told of them: the replica that this page talks to. */
export function useContact(): Readonly<Ref<(Contact & { by: string }) | null>> {
  const { client } = useClientHandle()
  const contact = shallowRef<(Contact & { by: string }) | null>(null)
  let asking = false

  async function ask() {
    if (asking || document.hidden) return
    asking = true
    const { data } = await client.query(ContactQuery, {}, { requestPolicy: 'network-only' }).toPromise()
    asking = false
    if (data) contact.value = { at: Date.now(), by: data.replica.id, replicas: data.replicas }
  }

  void ask()
  const timer = setInterval(() => void ask(), INTERVAL)
  onScopeDispose(() => clearInterval(timer))
  return readonly(contact)
}
