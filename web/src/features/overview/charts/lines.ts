/** Lines over the steps of a period, named where they end. */
import type { ChartOption } from './echarts'
import type { Palette } from './palette'
import { tooltipStyle, tooltipContent, type TooltipLine } from './tooltip'

export interface Line {
  key: string
  name: string
  look: 'main' | 'second' | 'dashed'
  /** One for each step: geometry only; null where it does not go. */
  places: (number | null)[]
}

export interface Lines {
  lines: readonly Line[]
  /** Below the steps; empty where there is none. */
  labels: readonly string[]
  tooltip: (step: number) => { title: string; lines: TooltipLine[] }
  mark: (amount: number) => string
}

/** Room for the names at the end, in pixels. */
const NAMES = 76

export function lines({ lines: all, labels, tooltip, mark }: Lines, palette: Palette): ChartOption {
  const text = { color: palette.soft, fontFamily: palette.font, fontSize: 12 }
  const colors = { main: palette.carbon, second: palette.strong, dashed: palette.strong }
  return {
    animation: palette.moves,
    animationDuration: 240,
    animationDurationUpdate: 240,
    grid: { left: 4, right: NAMES, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      ...tooltipStyle(palette),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: palette.strong, width: 1, type: 'solid' } },
      formatter: (items) => {
        const index = Array.isArray(items) ? items[0]?.dataIndex : items.dataIndex
        if (index === undefined) return ''
        const { title, lines: texts } = tooltip(index)
        return tooltipContent(title, texts)
      },
    },
    xAxis: {
      type: 'category',
      boundaryGap: false,
      data: labels.map((_, index) => index),
      axisTick: { show: false },
      axisLine: { lineStyle: { color: palette.strong } },
      axisLabel: {
        ...text,
        interval: (index: number) => labels[index] !== '',
        hideOverlap: true,
        formatter: (_: string, index: number) => labels[index] ?? '',
      },
    },
    yAxis: {
      type: 'value',
      splitNumber: 4,
      axisLabel: { ...text, formatter: mark },
      splitLine: { lineStyle: { color: palette.rule } },
    },
    series: all.map(({ key, name, look, places }) => ({
      id: key,
      name,
      type: 'line',
      z: look === 'main' ? 4 : 3,
      data: places,
      symbol: 'circle',
      symbolSize: 7,
      showSymbol: false,
      lineStyle: {
        color: colors[look],
        width: look === 'main' ? 2.5 : 1.25,
        type: look === 'dashed' ? [4, 3] : 'solid',
      },
      itemStyle: { color: colors[look] },
      emphasis: { disabled: true },
      endLabel: {
        show: true,
        formatter: () => name,
        distance: 6,
        fontFamily: palette.font,
        fontSize: 12,
        width: NAMES - 8,
        overflow: 'truncate',
        color: look === 'main' ? palette.carbon : palette.soft,
        fontWeight: look === 'main' ? 600 : 400,
      },
      labelLayout: { moveOverlap: 'shiftY' },
    })),
  }
}
