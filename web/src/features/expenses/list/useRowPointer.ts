/** Mouse and finger on rows. The grid listens once for all of them. */
import { onScopeDispose } from 'vue'
import type { Expense } from '@/feed/expense'
import type { Selection } from './useSelection'

/** How long a finger rests until the row is picked, in milliseconds, and how far it may slip, in pixels. */
const LONG_PRESS = 450
const SLIP = 10

export interface RowPointerOptions {
  find: (id: string) => Expense | null
  selection: Selection
  activate: (row: Expense) => void
  open: (row: Expense) => void
  /** A button in a row: `menu`, or a way out of a refusal. */
  act: (what: string, row: Expense, element: HTMLElement) => void
}

export function useRowPointer({ find, selection, activate, open, act }: RowPointerOptions) {
  let press: { timer: ReturnType<typeof setTimeout>; x: number; y: number } | null = null
  /** The click that ends a long press is not one. */
  let swallow = false

  function rowOf(event: Event): Expense | null {
    const element = event.target instanceof Element ? event.target.closest('[data-id]') : null
    return element ? find(element.getAttribute('data-id') ?? '') : null
  }

  function pick(row: Expense, event: MouseEvent) {
    if (event.shiftKey) selection.extendTo(row)
    else selection.toggle(row)
  }

  function onClick(event: MouseEvent) {
    const row = rowOf(event)
    if (!row) return
    if (swallow) {
      swallow = false
      event.preventDefault()
      return
    }
    activate(row)
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-act]') : null
    const what = button?.dataset['act']
    if (what === 'pick') pick(row, event)
    else if (button && what) act(what, row, button)
    else if (event.shiftKey || event.ctrlKey || event.metaKey) pick(row, event)
    else if (isTouch(event)) {
      if (selection.size.value > 0) selection.toggle(row)
      else open(row)
    }
  }

  function onDoubleClick(event: MouseEvent) {
    const row = rowOf(event)
    const onButton = event.target instanceof Element && event.target.closest('[data-act]')
    if (row && !onButton) open(row)
  }

  function onPointerDown(event: PointerEvent) {
    end()
    swallow = false
    const row = rowOf(event)
    // Shift extends the selection of rows, not of words.
    if (row && event.shiftKey) event.preventDefault()
    if (!row || event.pointerType !== 'touch') return
    const timer = setTimeout(() => {
      press = null
      swallow = true
      selection.toggle(row)
    }, LONG_PRESS)
    press = { timer, x: event.clientX, y: event.clientY }
  }

  function onPointerMove(event: PointerEvent) {
    if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > SLIP) end()
  }

  function end() {
    if (press) clearTimeout(press.timer)
    press = null
  }

  onScopeDispose(end)

  return {
    click: onClick,
    dblclick: onDoubleClick,
    pointerdown: onPointerDown,
    pointermove: onPointerMove,
    pointerup: end,
    pointercancel: end,
  }
}

function isTouch(event: MouseEvent): boolean {
  return 'pointerType' in event && event.pointerType === 'touch'
}
