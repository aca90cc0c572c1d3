import { expect, it } from 'vitest'
import { tooltipContent } from './tooltip'

it('says everything as text: names are not markup', () => {
  const content = tooltipContent('May <b>2026</b>', [
    { name: '<img src=x onerror=alert(1)>', text: '€1.00', color: '#112233' },
    { name: 'Total', text: '€1.00', total: true },
  ])
  expect(content.querySelector('img, b')).toBeNull()
  expect(content.textContent).toBe('May <b>2026</b><img src=x onerror=alert(1)>€1.00Total€1.00')
  expect(content.querySelectorAll('.tip-swatch').length).toBe(1)
})
