/** Tells the person what became of their deeds where no row can: it is not in the list. */
import { onScopeDispose, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { showToast } from '@/components/toasts'
import { useServices } from '@/services'
import { isConflict } from '../edit/useEditing'
import { untold } from './overlay'
import type { ExpenseList } from './useExpenseList'

/** `show` leads to where the expense can be seen. */
export function useUnseen(list: ExpenseList, show: (id: string, spentOn: string) => void) {
  const { outbox } = useServices()
  const { t } = useI18n()
  const since = Date.now()
  /** Keys of additions that are known to be told; the outbox has a bound, and drops them in the end. */
  let told = new Set<string>()
  /** Keys of what was refused, be it while no list was there, until it is known whether a row tells of it. */
  const unasked = new Set(outbox.entries.filter(({ state }) => state === 'refused').map(({ key }) => key))

  watch(list.view, ({ marks }) => {
    if (list.state.status !== 'ready') return
    const additions = outbox.entries.filter(({ command, at }) => command.kind === 'add' && at >= since)
    for (const { key, command, state } of additions) {
      if (command.kind !== 'add' || told.has(key) || state === 'refused') continue
      const { id, description, spentOn } = command.input
      // A later deed may have taken it away again.
      if (marks.get(id)?.key !== key || list.indexOf({ id, spentOn }) >= 0) continue
      showToast(t('expenses.addedElsewhere', { description }), {
        action: { label: t('expenses.show'), run: () => show(id, spentOn) },
      })
    }
    told = new Set(additions.map(({ key }) => key))
  })

  // Once the rows are as they are without it: then they tell of it themselves, or do not. Nothing is asked twice, so
  // that a row which another filter hides keeps what it tells.
  watch(
    [list.view, () => list.state.status],
    () => {
      if (unasked.size === 0 || list.state.status !== 'ready') return
      for (const entry of untold(outbox.entries, (id) => list.find(id) !== null)) {
        // Additions have their place beside the form, conflicts their dialog.
        if (!unasked.has(entry.key) || isConflict(entry)) continue
        showToast(entry.errors[0]?.message ?? t('common.receipt.refused'), { tone: 'bad' })
        outbox.dismiss(entry.key)
      }
      unasked.clear()
    },
    { immediate: true },
  )
  onScopeDispose(
    outbox.onSettled(({ key, state }) => {
      if (state === 'refused') unasked.add(key)
    }),
  )
}
