/** The keyboard on rows: keys of the page, which the help lists, and those of the grid, which need its focus. */
import { useI18n } from 'vue-i18n'
import type { Expense } from '@/feed/expense'
import { useCommands } from '@/shell/commands'
import { useShortcuts } from '@/shell/shortcuts'
import type { RowFocus } from './useRowFocus'
import type { Selection } from './useSelection'

export interface RowKeysOptions {
  focus: RowFocus
  selection: Selection
  /** Edits a row; null where rows are not edited. */
  open: ((row: Expense) => void) | null
  /** Deletes rows; in the trash, restores them. */
  remove: (rows: readonly Expense[]) => void
  removes: 'delete' | 'restore'
  undo: (() => void) | null
}

export function useRowKeys({ focus, selection, open, remove, removes, undo }: RowKeysOptions) {
  const { t } = useI18n()

  function openActive() {
    if (focus.active.value) open?.(focus.active.value)
  }

  function toggle() {
    if (focus.active.value) selection.toggle(focus.active.value)
  }

  function removeMeant() {
    const rows = selection.size.value > 0 ? [...selection.picked.value.values()] : focus.active.value ? [focus.active.value] : []
    if (rows.length === 0) return
    remove(rows)
    selection.clear()
  }

  const removeKey = removes === 'delete' ? '#' : 'r'
  useShortcuts(
    { key: 'j', label: () => t('common.shortcuts.nextRow'), run: () => void focus.move(1) },
    { key: 'k', label: () => t('common.shortcuts.previousRow'), run: () => void focus.move(-1) },
    ...(open ? [{ key: 'e', label: () => t('expenses.keys.edit'), run: openActive }] : []),
    { key: 'x', label: () => t('expenses.keys.select'), run: toggle },
    { key: 'Control+a', label: () => t('expenses.keys.selectAll'), run: () => selection.all() },
    { key: removeKey, label: () => t(`expenses.keys.${removes}`), run: removeMeant },
    ...(undo ? [{ key: 'Control+z', label: () => t('expenses.keys.undo'), run: undo }] : []),
  )
  useCommands(
    { id: 'expenses-select-all', label: () => t('expenses.keys.selectAll'), run: () => selection.all(), key: 'Ctrl A' },
    ...(undo ? [{ id: 'expenses-undo', label: () => t('expenses.keys.undo'), run: undo, key: 'Ctrl Z' }] : []),
  )

  const keys: Record<string, () => void> = {
    ArrowDown: () => void focus.move(1),
    ArrowUp: () => void focus.move(-1),
    Home: () => void focus.first(),
    End: () => void focus.last(),
    Escape: () => selection.clear(),
  }
  /** Only on the row itself: a button in it has its own Enter. */
  const rowKeys: Record<string, () => void> = {
    Enter: openActive,
    F2: openActive,
    ' ': toggle,
    Delete: removeMeant,
    Backspace: removeMeant,
  }

  /** The grid's own keys. */
  return function onKeydown(event: KeyboardEvent) {
    const target = event.target instanceof HTMLElement ? event.target : null
    if (!target || event.altKey || event.ctrlKey || event.metaKey || target.closest('[data-editing]')) return
    const onRow = target.hasAttribute('data-id')
    const run = keys[event.key] ?? (onRow ? rowKeys[event.key] : undefined)
    if (!run) return
    event.preventDefault()
    run()
    if (event.shiftKey && event.key.startsWith('Arrow') && focus.active.value) selection.extendTo(focus.active.value)
  }
}
