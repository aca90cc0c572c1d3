/** What can be done to rows. Everything goes through the outbox, and shows at once. */
import { useI18n } from 'vue-i18n'
import { dismissToast, showToast, shownToasts } from '@/components/toasts'
import type { Expense } from '@/feed/expense'
import type { Command } from '@/outbox/entry'
import { OutboxFull } from '@/outbox/outbox'
import { useServices } from '@/services'
import type { Draft, UpdateInput } from '../edit/draft'
import { refusedAddOf, refusedOf } from './overlay'

/** Deletions that can be undone one after the other. */
const MAX_UNDO = 20
/** As many tags as an expense may have. */
const MAX_TAGS = 20

interface Deletion {
  ids: readonly string[]
  /** The message that offers to undo it. */
  toast: number | undefined
}

/** Kept while the page is open, whatever part of it is shown. */
const deletions: Deletion[] = []

export function useActions() {
  const { outbox } = useServices()
  const { t } = useI18n()

  /** Takes the commands as far as there is room for them; gives the ids of those that were taken. */
  function submit(commands: readonly Command[]): string[] {
    const taken: string[] = []
    try {
      for (const command of commands) {
        outbox.submit(command)
        taken.push(command.input.id)
      }
    } catch (error) {
      if (!(error instanceof OutboxFull)) throw error
      showToast(t('expenses.outboxFull'), { tone: 'bad' })
    }
    return taken
  }

  /** The rows that the replicas have: all but those whose addition was refused. */
  function known(rows: readonly Expense[]): Expense[] {
    return rows.filter(({ id }) => !refusedAddOf(outbox.entries, id))
  }

  /** Lets go what was refused of rows that the replicas never had. */
  function discard(rows: readonly Expense[]) {
    for (const { id } of rows) {
      if (!refusedAddOf(outbox.entries, id)) continue
      for (const { key } of refusedOf(outbox.entries, id)) outbox.dismiss(key)
    }
  }

  function undo() {
    const deletion = deletions.pop()
    if (!deletion) {
      showToast(t('expenses.nothingToUndo'))
      return
    }
    const { ids, toast } = deletion
    if (toast !== undefined) dismissToast(toast)
    const taken = submit(ids.map((id) => ({ kind: 'restore', input: { id } })))
    if (taken.length > 0) showToast(t('expenses.restored', taken.length))
  }

  return {
    undo,
    add(id: string, draft: Draft): boolean {
      const { description, amount, currency, spentOn, categoryId, tags, notes } = draft
      if (amount === null) return false
      const input = { id, description, amount, currency, spentOn, categoryId, tags: [...tags], notes: notes.trim() || null }
      return submit([{ kind: 'add', input }]).length > 0
    },
    update(input: UpdateInput): boolean {
      return submit([{ kind: 'update', input }]).length > 0
    },
    /** Without asking first, because it can be undone. */
    remove(rows: readonly Expense[]) {
      const there = known(rows)
      discard(rows)
      const taken = submit(there.map(({ id }) => ({ kind: 'delete', input: { id } })))
      if (taken.length === 0) return
      const deletion: Deletion = { ids: taken, toast: undefined }
      deletions.push(deletion)
      if (deletions.length > MAX_UNDO) deletions.shift()
      const run = () => {
        const index = deletions.indexOf(deletion)
        if (index < 0) return
        deletions.push(...deletions.splice(index, 1))
        undo()
      }
      showToast(t('expenses.deleted', taken.length), { action: { label: t('common.action.undo'), run } })
      deletion.toast = shownToasts.at(-1)?.id
    },
    restore(rows: readonly Expense[]) {
      const taken = submit(rows.map(({ id }) => ({ kind: 'restore', input: { id } })))
      if (taken.length > 0) showToast(t('expenses.restored', taken.length))
    },
    setCategory(rows: readonly Expense[], categoryId: string | null) {
      const changed = known(rows).filter(({ category }) => (category?.id ?? null) !== categoryId)
      const taken = submit(changed.map(({ id, version }) => ({ kind: 'update', input: { id, expectedVersion: version, categoryId } })))
      if (taken.length > 0) showToast(t('expenses.changed', taken.length))
    },
    addTag(rows: readonly Expense[], tag: string) {
      const changed = known(rows).filter(({ tags }) => !tags.includes(tag) && tags.length < MAX_TAGS)
      const taken = submit(
        changed.map(({ id, version, tags }) => ({
          kind: 'update',
          input: { id, expectedVersion: version, tags: [...tags, tag] },
        })),
      )
      if (taken.length > 0) showToast(t('expenses.changed', taken.length))
    },
  }
}
