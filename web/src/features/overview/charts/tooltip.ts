/** Tooltips that look like the page, drawn on the canvas: elements would need styles that the page forbids. */
import type { TooltipComponentOption } from 'echarts/components'
import type { Palette } from './palette'

/** Width of amounts, in pixels: they stand under each other, right-aligned. */
const AMOUNT_WIDTH = 96
const NAME_WIDTH = 132

export interface TooltipLine {
  name: string
  text: string
  /** The colour of what it is about. */
  color?: string
}

export function tooltipStyle({ raised, strong, ink, font }: Palette): TooltipComponentOption {
  return {
    renderMode: 'richText',
    confine: true,
    backgroundColor: raised,
    borderColor: strong,
    borderWidth: 1,
    padding: [8, 12],
    transitionDuration: 0,
    textStyle: {
      color: ink,
      fontFamily: font,
      fontSize: 13,
      lineHeight: 20,
      rich: {
        title: { fontWeight: 600, lineHeight: 22 },
        name: { width: NAME_WIDTH, overflow: 'truncate' },
        amount: { width: AMOUNT_WIDTH, align: 'right' },
      },
    },
  } as TooltipComponentOption
}

/** The text of a tooltip: a title, and what is known below. */
export function tooltipText(title: string, lines: readonly TooltipLine[]): string {
  return [`{title|${plain(title)}}`, ...lines.map(({ name, text }) => `{name|${plain(name)}}{amount|${plain(text)}}`)].join('\n')
}

/** Names are people's: their braces and bars are no markup. */
function plain(text: string): string {
  return text.replace(/[{}|]/g, ' ')
}
