/** What a PickerField offers, and how it is found. */
import { fold } from '@/format/fold'

/** Most choices that are shown at the same time: typing narrows them down. */
const MAX_SHOWN = 60

export interface Choice {
  value: string
  /** What the field shows once it is chosen. */
  text: string
  /** Said beside it. */
  detail?: string
  /** A dot of this colour in front. */
  color?: string | null
}

/** The choices for what was typed: those that begin with it, then those with a word that does, then the others. */
export function choicesFor(choices: readonly Choice[], typed: string): Choice[] {
  const wanted = fold(typed.trim())
  if (wanted === '') return choices.slice(0, MAX_SHOWN)
  const ranks: Choice[][] = [[], [], []]
  for (const choice of choices) ranks[rankOf(choice, wanted)]?.push(choice)
  return ranks.flat().slice(0, MAX_SHOWN)
}

/** True where one of the choices is called exactly that, apart from case and accents. */
export function isKnown(choices: readonly Choice[], name: string): boolean {
  const wanted = fold(name.trim())
  return choices.some(({ text }) => fold(text) === wanted)
}

/** 0 is best; -1 is none. */
function rankOf({ text, detail }: Choice, wanted: string): number {
  const name = fold(text)
  if (name.startsWith(wanted)) return 0
  const all = `${name} ${fold(detail ?? '')}`
  const at = all.indexOf(wanted)
  if (at < 0) return -1
  return /(^|[^\p{Alphabetic}\p{N}])$/u.test(all.slice(0, at)) ? 1 : 2
}
