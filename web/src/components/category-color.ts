/** Colours for categories without one of their own: told apart on light and dark, in this order of difference. */
export const CATEGORY_COLORS = [
  '#4453c7',
  '#c9831a',
  '#2f8a6a',
  '#b8476a',
  '#7a5bb0',
  '#5d8f2b',
  '#c2592e',
  '#2c86ab',
  '#8a6d2f',
  '#a0468f',
  '#4d7f7c',
  '#7c7f93',
] as const

/** The category's colour: its own, or one that its id always gives. */
export function categoryColor({ id, color }: { id: string; color?: string | null }): string {
  if (color) return color
  let hash = 0
  for (const character of id) hash = (hash * 31 + character.charCodeAt(0)) >>> 0
  return CATEGORY_COLORS[hash % CATEGORY_COLORS.length] ?? CATEGORY_COLORS[0]
}
