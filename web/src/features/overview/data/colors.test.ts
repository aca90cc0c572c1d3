import { expect, it } from 'vitest'
import { categoryColor } from '@/components/category-color'
import { chartColors, mixed } from './colors'

const category = (id: string, color: string | null) => ({ id, name: id, color })

it('gives categories the colours that they have everywhere', () => {
  const colors = chartColors([category('a', '#112233'), category('b', null), null])
  expect([colors.get('a'), colors.get('b'), colors.has('none')]).toEqual(['#112233', categoryColor({ id: 'b' }), false])
})

it('tells those of the same colour apart, in whichever order they come', () => {
  const same = ['a', 'b', 'c', 'd'].map((id) => category(id, '#2C86AB'))
  const colors = chartColors(same)
  expect(new Set(colors.values()).size).toBe(4)
  expect(colors.get('a')).toBe('#2c86ab')
  expect(chartColors([...same].reverse())).toEqual(colors)
  expect(chartColors([...same, ...same])).toEqual(colors)
})

it('mixes', () => {
  expect(mixed('#000000', '#ffffff', 0.5)).toBe('#808080')
  expect(mixed('#0a1b2c', '#ffffff', 0)).toBe('#0a1b2c')
})
