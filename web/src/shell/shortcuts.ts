/**
 * The keyboard: one listener for the page, and a list of what every key does, which is also the help.
 *
 * A part of the page registers its keys while it is shown (`useShortcut`). Keys are quiet while a person types, and
 * while a dialog is open, unless they say otherwise.
 */
import { onScopeDispose, shallowReactive } from 'vue'

export interface Shortcut {
  /** `KeyboardEvent.key`, with modifiers in front: `n`, `?`, `Control+k`, `Escape`. Control stands for Cmd, too. */
  key: string
  /** What it does, for the help. A function, so that it follows the language. */
  label: () => string
  run: (event: KeyboardEvent) => void
  /** Also while a person types in a field. */
  whileTyping?: boolean
  /** Left out of the help. */
  silent?: boolean
}

const shortcuts = shallowReactive<Shortcut[]>([])

/** All that are active now, the newest last. */
export function activeShortcuts(): readonly Shortcut[] {
  return shortcuts
}

/** Has those keys as long as the component is shown. Of two with the same key, the newer one counts. */
export function useShortcuts(...own: Shortcut[]) {
  shortcuts.push(...own)
  onScopeDispose(() => {
    for (const shortcut of own) shortcuts.splice(shortcuts.indexOf(shortcut), 1)
  })
}

/** Listens to the page's keys; returns how to end that. */
export function listenToKeys(target: Document = document): () => void {
  const listener = (event: KeyboardEvent) => {
    // On many keyboards `[` and its like are typed with AltGr, which some systems report as Control and Alt.
    const third = event.getModifierState('AltGraph')
    if (event.defaultPrevented || event.isComposing || (event.altKey && !third)) return
    const key = ((event.ctrlKey && !third) || event.metaKey ? 'Control+' : '') + event.key
    const typing = isTyping(event.target) || target.querySelector('[role="dialog"][data-state="open"]') !== null
    const shortcut = shortcuts.findLast((each) => each.key === key && (each.whileTyping || !typing))
    if (!shortcut) return
    event.preventDefault()
    shortcut.run(event)
  }
  target.addEventListener('keydown', listener)
  return () => target.removeEventListener('keydown', listener)
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest('input:not([type="checkbox"]), textarea, select, [role="combobox"]') !== null)
  )
}
