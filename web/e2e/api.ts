/** The API as another client uses it: prepares data, and looks at what each replica's own database holds. */
import { randomUUID } from 'node:crypto'
import { REPLICAS, type Cluster, type ReplicaId } from './cluster.ts'
import { until } from './wait.ts'

export interface NewExpense {
  description: string
  amount: string
  currency?: string
  spentOn?: string
  categoryId?: string
  notes?: string
  tags?: string[]
}

export interface StoredExpense {
  id: string
  description: string
  amount: { amount: string; currency: string }
  spentOn: string
  category: { id: string; name: string } | null
  notes: string | null
  tags: string[]
  version: number
}

interface Answer<Data> {
  data?: Data
  errors?: { message: string; extensions?: { code?: string } }[]
}

interface Payload {
  userErrors: { code: string; message: string }[]
}

const FIELDS = 'id description amount { amount currency } spentOn category { id name } notes tags version'

export class Api {
  constructor(private readonly cluster: Cluster) {}

  /** Asks replica `at`; errors are thrown. */
  async ask<Data>(at: ReplicaId, query: string, variables: object = {}, local = false): Promise<Data> {
    const response = await fetch(`${this.cluster.url(at)}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(local && { 'read-consistency': 'local' }) },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(20_000),
    })
    const { data, errors } = (await response.json()) as Answer<Data>
    if (errors?.length || !data) throw new Error(errors?.map(({ message }) => message).join('; ') ?? `${response.status}`)
    return data
  }

  /** Adds expenses in one mutation, and gives their ids. */
  async add(expenses: NewExpense[], at: ReplicaId = 1, key: string = randomUUID()): Promise<string[]> {
    const input = {
      idempotencyKey: key,
      expenses: expenses.map((each) => ({ currency: 'EUR', spentOn: today(), ...each })),
    }
    const { addExpenses } = await this.ask<{ addExpenses: Payload & { expenses: { id: string }[] } }>(
      at,
      'mutation ($input: AddExpensesInput!) { addExpenses(input: $input) { expenses { id } userErrors { code message } } }',
      { input },
    )
    accepted(addExpenses)
    return addExpenses.expenses.map(({ id }) => id)
  }

  /** Adds one expense at whichever of the replicas takes it: again and again, and once in the end. */
  async insist(expense: NewExpense, replicas: readonly ReplicaId[]): Promise<void> {
    const key = randomUUID()
    let attempt = 0
    await until(`${expense.description} is added`, async () => {
      const at = replicas[attempt++ % replicas.length] ?? 1
      try {
        await this.add([expense], at, key)
        return true
      } catch {
        return false
      }
    })
  }

  async addCategory(name: string, color?: string, at: ReplicaId = 1): Promise<string> {
    const { addCategory } = await this.ask<{ addCategory: Payload & { category: { id: string } } }>(
      at,
      'mutation ($input: AddCategoryInput!) { addCategory(input: $input) { category { id } userErrors { code message } } }',
      { input: { idempotencyKey: randomUUID(), name, color } },
    )
    accepted(addCategory)
    return addCategory.category.id
  }

  async mergeCategory(id: string, mergeInto: string, at: ReplicaId = 1): Promise<void> {
    const { deleteCategory } = await this.ask<{ deleteCategory: Payload }>(
      at,
      'mutation ($input: DeleteCategoryInput!) { deleteCategory(input: $input) { userErrors { code message } } }',
      { input: { idempotencyKey: randomUUID(), id, mergeInto } },
    )
    accepted(deleteCategory)
  }

  async categories(at: ReplicaId): Promise<{ name: string; color: string | null }[]> {
    return (await this.ask<{ categories: { name: string; color: string | null }[] }>(at, '{ categories { name color } }')).categories
  }

  async update(id: string, fields: Partial<NewExpense>, at: ReplicaId = 1): Promise<void> {
    const { updateExpense } = await this.ask<{ updateExpense: Payload }>(
      at,
      'mutation ($input: UpdateExpenseInput!) { updateExpense(input: $input) { userErrors { code message } } }',
      { input: { idempotencyKey: randomUUID(), id, ...fields } },
    )
    accepted(updateExpense)
  }

  async delete(id: string, at: ReplicaId = 1): Promise<void> {
    const { deleteExpense } = await this.ask<{ deleteExpense: Payload }>(
      at,
      'mutation ($input: DeleteExpenseInput!) { deleteExpense(input: $input) { userErrors { code message } } }',
      { input: { idempotencyKey: randomUUID(), id } },
    )
    accepted(deleteExpense)
  }

  /** Live expenses in which every word begins a word, at most 100, as replica `at` answers when asked for the truth. */
  async find(text: string, at: ReplicaId = 1): Promise<StoredExpense[]> {
    return this.read(at, text, false)
  }

  /** The same in that replica's own database, without asking the others. */
  async findLocally(text: string, at: ReplicaId): Promise<StoredExpense[]> {
    return this.read(at, text, true)
  }

  /** Waits until each replica's own database holds the same `count` expenses of that text, and gives them. */
  async everywhere(text: string, count: number, replicas: readonly ReplicaId[] = REPLICAS): Promise<StoredExpense[]> {
    const [first] = await until(`${count} × ${text} on replicas ${replicas.join(', ')}`, async () => {
      const held = await Promise.all(replicas.map((id) => this.findLocally(text, id)))
      const alike = held.every((each) => JSON.stringify(each) === JSON.stringify(held[0]))
      return alike && held[0]?.length === count ? held : null
    })
    return first ?? []
  }

  /** The replica that leads now. */
  async leader(at: ReplicaId = 1): Promise<ReplicaId> {
    const found = await until('a leader', async () => {
      const { replicas } = await this.ask<{ replicas: { id: string; role: string }[] }>(at, '{ replicas { id role } }')
      return replicas.find(({ role }) => role === 'LEADER') ?? null
    })
    return Number(found.id) as ReplicaId
  }

  private async read(at: ReplicaId, text: string, local: boolean): Promise<StoredExpense[]> {
    const { expenses } = await this.ask<{ expenses: { nodes: StoredExpense[] } }>(
      at,
      `query ($filter: ExpenseFilter) { expenses(first: 100, filter: $filter) { nodes { ${FIELDS} } } }`,
      { filter: { text } },
      local,
    )
    return expenses.nodes
  }
}

/** Today at this machine, which is the browser's too. */
export function today(): string {
  const now = new Date()
  const two = (number: number) => String(number).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}

function accepted({ userErrors }: Payload) {
  if (userErrors.length > 0) throw new Error(userErrors.map(({ message }) => message).join('; '))
}
