/** A stack of layers for each month. */
import { mixed } from '../data/colors'
import type { ChartOption } from './echarts'
import type { Palette } from './palette'
import { tooltipStyle, tooltipContent, type TooltipLine } from './tooltip'

export interface BarLayer {
  key: string
  name: string
  color: string
  /** One for each month: geometry only. */
  sizes: number[]
}

export interface Bars {
  layers: readonly BarLayer[]
  /** Under each month. */
  labels: readonly string[]
  /** Of the month that is shown; -1 where none is. */
  shown: number
  /** The exact texts of a month. */
  tooltip: (month: number) => { title: string; lines: TooltipLine[] }
  /** A mark of the amounts' axis. */
  mark: (amount: number) => string
}

/** How much of the sheet shines through the months that are not shown. */
const FADED = 0.35

export function bars({ layers, labels, shown, tooltip, mark }: Bars, palette: Palette): ChartOption {
  const text = { color: palette.soft, fontFamily: palette.font, fontSize: 12 }
  return {
    animation: palette.moves,
    animationDuration: 240,
    animationDurationUpdate: 240,
    grid: { left: 4, right: 4, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      ...tooltipStyle(palette),
      trigger: 'axis',
      axisPointer: { type: 'shadow', shadowStyle: { color: palette.strong, opacity: 0.12 } },
      formatter: (items) => {
        const index = Array.isArray(items) ? items[0]?.dataIndex : items.dataIndex
        if (index === undefined) return ''
        const { title, lines } = tooltip(index)
        return tooltipContent(title, lines)
      },
    },
    xAxis: {
      type: 'category',
      data: [...labels],
      axisTick: { show: false },
      axisLine: { lineStyle: { color: palette.strong } },
      triggerEvent: false,
      axisLabel: {
        ...text,
        interval: 0,
        hideOverlap: true,
        formatter: (label: string, index: number) => (index === shown ? `{shown|${label}}` : label),
        rich: { shown: { color: palette.carbon, fontWeight: 700, fontFamily: palette.font, fontSize: 12 } },
      },
    },
    yAxis: {
      type: 'value',
      splitNumber: 4,
      axisLabel: { ...text, formatter: mark },
      splitLine: { lineStyle: { color: palette.rule } },
    },
    series: layers.map(({ key, name, color, sizes }) => ({
      id: key,
      name,
      type: 'bar',
      stack: 'all',
      barMaxWidth: 40,
      barCategoryGap: '32%',
      itemStyle: { borderColor: palette.sheet, borderWidth: 0.5 },
      emphasis: { disabled: true },
      data: sizes.map((value, index) => ({
        // Nothing has no edge either.
        value: value === 0 ? null : value,
        // Not by opacity: rules would shine through.
        itemStyle: { color: shown < 0 || index === shown ? color : mixed(color, palette.sheet, FADED) },
      })),
    })),
  }
}
