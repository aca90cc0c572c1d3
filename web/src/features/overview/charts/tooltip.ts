/**
 * Tooltips that look like the page. Their content is made of elements, never of markup: names are people's, and the
 * page's Content-Security-Policy has no inline style elements. (ECharts places them through the style object, which no
 * policy is about.)
 */
import type { TooltipComponentOption } from 'echarts/components'
import type { Palette } from './palette'

export interface TooltipLine {
  name: string
  text: string
  /** The colour of what it is about. */
  color?: string
  /** The sum of the others. */
  total?: boolean
}

export function tooltipStyle({ raised, strong, ink, font }: Palette): TooltipComponentOption {
  return {
    confine: true,
    backgroundColor: raised,
    borderColor: strong,
    borderWidth: 1,
    padding: [8, 12],
    transitionDuration: 0,
    // What is said there, the table beside the chart says, too.
    extraCssText: 'box-shadow: none; border-radius: 3px',
    textStyle: { color: ink, fontFamily: font, fontSize: 13, lineHeight: 20 },
  }
}

/** A tooltip: a title, and what is known below. Its look is in ChartCanvas.vue. */
export function tooltipContent(title: string, lines: readonly TooltipLine[]): HTMLElement {
  const list = element('dl', 'tip-lines')
  for (const { name, text, color, total } of lines) {
    const term = element('dt', 'tip-name')
    const swatch = element('span', 'tip-swatch')
    if (color) swatch.style.background = color
    term.append(...(color ? [swatch] : []), name)
    const value = element('dd', 'tip-amount')
    value.append(text)
    if (total) for (const each of [term, value]) each.classList.add('tip-total')
    list.append(term, value)
  }
  const content = element('div', 'tip')
  const heading = element('strong', 'tip-title')
  heading.append(title)
  content.append(heading, list)
  return content
}

function element(name: string, className: string): HTMLElement {
  const made = document.createElement(name)
  made.className = className
  return made
}
