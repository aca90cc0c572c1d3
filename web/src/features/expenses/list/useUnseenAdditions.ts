/** Tells the person of an added expense that the list does not show. */
import { watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { showToast } from '@/components/toasts'
import { useServices } from '@/services'
import type { ExpenseList } from './useExpenseList'

/** `show` leads to where the expense can be seen. */
export function useUnseenAdditions(list: ExpenseList, show: (id: string, spentOn: string) => void) {
  const { outbox } = useServices()
  const { t } = useI18n()
  const since = Date.now()
  /** Keys of additions that are known to be told; the outbox has a bound, and drops them in the end. */
  let told = new Set<string>()

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
}
