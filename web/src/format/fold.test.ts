import { describe, expect, it } from 'vitest'
import { fold, words } from './fold'

describe('words', () => {
  it('are found without case and accents, as on the replicas', () => {
    expect(words('Café GRÖẞE, 2-mal')).toEqual(['cafe', 'große', '2', 'mal'])
    expect(words('寿司 さくら')).toEqual(['寿司', 'さくら'])
  })

  it('are cut', () => {
    expect(words('x'.repeat(500))).toEqual(['x'.repeat(32)])
  })

  it('of nothing are none', () => {
    expect(words(' — … ')).toEqual([])
  })
})

describe('fold', () => {
  it('knows ligatures, full width and no final sigma', () => {
    expect(fold('ﬁ Ａ ΟΔΟΣ İ')).toBe('fi a οδοσ i')
  })
})
