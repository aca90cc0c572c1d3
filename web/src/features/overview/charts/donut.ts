/** A ring of slices. */
import type { Palette } from './palette'
import type { ChartOption } from './echarts'
import { tooltipStyle, tooltipContent } from './tooltip'

export interface DonutSlice {
  key: string
  name: string
  color: string
  /** Its size: geometry only. */
  size: number
  /** Exact texts. */
  amount: string
  share: string
}

/** The others fade where one is meant. */
export function donut(slices: readonly DonutSlice[], active: string | null, palette: Palette): ChartOption {
  return {
    animation: palette.moves,
    animationDuration: 240,
    animationDurationUpdate: 240,
    tooltip: {
      ...tooltipStyle(palette),
      trigger: 'item',
      formatter: (item) => {
        const slice = Array.isArray(item) ? undefined : slices[item.dataIndex]
        return slice ? tooltipContent(slice.name, [{ name: slice.share, text: slice.amount, color: slice.color }]) : ''
      },
    },
    series: {
      type: 'pie',
      radius: ['66%', '96%'],
      startAngle: 90,
      silent: false,
      label: { show: false },
      emphasis: { scale: false },
      itemStyle: { borderColor: palette.sheet, borderWidth: 2 },
      data: slices.map(({ key, name, color, size }) => ({
        id: key,
        name,
        value: size,
        itemStyle: { color, opacity: active === null || active === key ? 1 : 0.22 },
      })),
    },
  }
}
