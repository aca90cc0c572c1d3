import { utf8ToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { createKeys, hashFile } from './keys'

const ledger = '00000000-0000-0000-0000-000000000001'
const other = '00000000-0000-0000-0000-000000000002'
const keysOf = (text: string, of = ledger) => createKeys(hashFile(utf8ToBytes(text)), of)

describe('keys of an import', () => {
  it('are those of `threefold import`, forever', () => {
    const keys = keysOf('date,description,amount,currency\n')
    expect(keys.expense(0n)).toBe('1a5f85a3-7855-89b8-999f-780f97d7ce79')
    expect(keys.category('food', 'shared')).toBe('1bd917b0-0326-8177-8d65-fa95cb5d6867')
    expect(keys.category('food', 'own')).toBe('ee0bfdc2-ad29-8744-aa39-28aa7f604b71')
  })

  it('differ for whatever differs', () => {
    const run = '018f0000-0000-7000-8000-000000000000'
    const made = [keysOf('a'), keysOf('b'), keysOf('a', other)].flatMap((keys) => [
      keys.expense(-1n),
      keys.expense(0n),
      keys.expense(1n),
      keys.category('food', 'own'),
      keys.chunk(0, '[]', 0),
      keys.chunk(0, '[]', 1),
      keys.chunk(1, '[]', 0),
      keys.chunk(0, '[1]', 0),
      keys.step(run, 'delete', ledger),
      keys.step(run, 'restore', ledger),
      keys.step(run, 'delete', other),
      keys.step(other, 'delete', ledger),
    ])
    expect(new Set(made).size).toBe(made.length)
  })

  it('are the same for the same chunk, and files share the first id of a category', () => {
    expect(keysOf('a').chunk(3, '[{}]', 2)).toBe(keysOf('a').chunk(3, '[{}]', 2))
    expect(keysOf('a').category('food', 'shared')).toBe(keysOf('b').category('food', 'shared'))
    expect(keysOf('a').category('food', 'shared')).not.toBe(keysOf('a', other).category('food', 'shared'))
  })
})
