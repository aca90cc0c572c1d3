/** What the command palette offers: parts of the page register commands while they are shown. */
import { onScopeDispose, shallowReactive } from 'vue'

export interface PageCommand {
  id: string
  /** A function, so that it follows the language. */
  label: () => string
  run: () => void
  /** The key that does the same, for display. */
  key?: string
}

const commands = shallowReactive<PageCommand[]>([])

export function activeCommands(): readonly PageCommand[] {
  return commands
}

/** Offers those commands as long as the component is shown. */
export function useCommands(...own: PageCommand[]) {
  commands.push(...own)
  onScopeDispose(() => {
    for (const command of own) commands.splice(commands.indexOf(command), 1)
  })
}
