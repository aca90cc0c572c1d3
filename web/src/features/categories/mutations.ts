/** What a person does to categories: each thing once, and what came of it. */
import type { Client } from '@urql/core'
import { graphql, readFragment, type FragmentType } from '@/graphql/generated'
import type { AddCategoryInput, DeleteCategoryInput, UpdateCategoryInput } from '@/graphql/generated/graphql'
import type { UserError } from '@/outbox/entry'
import { newId } from '@/outbox/id'
import { UserErrorFields } from '@/outbox/mutations'

const AddCategory = graphql(`
  mutation AddCategory($input: AddCategoryInput!) {
    payload: addCategory(input: $input) {
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const UpdateCategory = graphql(`
  mutation UpdateCategory($input: UpdateCategoryInput!) {
    payload: updateCategory(input: $input) {
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

const DeleteCategory = graphql(`
  mutation DeleteCategory($input: DeleteCategoryInput!) {
    payload: deleteCategory(input: $input) {
      userErrors {
        ...UserErrorFields
      }
    }
  }
`)

/**
 * - `taken`: another category has the name.
 * - `conflict`: somebody else has changed it since the person looked.
 * - `gone`: it is deleted, or the one it should merge into is.
 * - `refused`: for the reason that the replicas give.
 * - `unsent`: no replica has answered; the same may be tried again.
 */
export type Problem = { kind: 'taken' | 'conflict' | 'gone' | 'unsent' } | { kind: 'refused'; message: string }

export type CategoryMutations = ReturnType<typeof createMutations>

/** Each returns null where it is done. */
export function createMutations(client: Client) {
  const keyOf = createKeys()

  async function settle<Input extends object>(
    name: string,
    input: Input,
    send: (input: Input & { idempotencyKey: string }) => Promise<readonly UserError[] | null>,
  ): Promise<Problem | null> {
    const key = keyOf(name, input)
    const errors = await send({ ...input, idempotencyKey: key.value })
    if (!errors) return { kind: 'unsent' }
    key.used()
    const [error] = errors
    return error ? problemOf(error) : null
  }

  return {
    add: (input: Omit<AddCategoryInput, 'idempotencyKey'>) =>
      settle('add', input, async (keyed) => errorsOf(await client.mutation(AddCategory, { input: keyed }).toPromise())),
    update: (input: Omit<UpdateCategoryInput, 'idempotencyKey'>) =>
      settle('update', input, async (keyed) => errorsOf(await client.mutation(UpdateCategory, { input: keyed }).toPromise())),
    remove: (input: Omit<DeleteCategoryInput, 'idempotencyKey'>) =>
      settle('delete', input, async (keyed) => errorsOf(await client.mutation(DeleteCategory, { input: keyed }).toPromise())),
  }
}

/** Whatever is sent again because nobody answered has the key that it had. */
function createKeys() {
  const unsettled = new Map<string, string>()
  /** Most that are remembered; the oldest go first. */
  const most = 20
  return (name: string, input: object) => {
    const what = JSON.stringify([name, input])
    const value = unsettled.get(what) ?? newId()
    unsettled.set(what, value)
    const [oldest] = unsettled.keys()
    if (unsettled.size > most && oldest !== undefined) unsettled.delete(oldest)
    return { value, used: () => unsettled.delete(what) }
  }
}

interface Answer {
  data?: { payload: { userErrors: readonly FragmentType<typeof UserErrorFields>[] } }
}

function errorsOf({ data }: Answer): readonly UserError[] | null {
  return data ? readFragment(UserErrorFields, data.payload.userErrors) : null
}

function problemOf({ code, message, field }: UserError): Problem {
  if (code === 'ALREADY_EXISTS' && field?.at(-1) === 'name') return { kind: 'taken' }
  if (code === 'VERSION_CONFLICT') return { kind: 'conflict' }
  if (code === 'NOT_FOUND') return { kind: 'gone' }
  return { kind: 'refused', message }
}
