import { blake3 } from '@noble/hashes/blake3.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { createKeys, hashFile } from './keys'

const ledger = '00000000-0000-0000-0000-000000000001'
const other = '00000000-0000-0000-0000-000000000002'
const keysOf = async (text: string, of = ledger) => createKeys(await hashFile(utf8ToBytes(text)), of)

describe('keys of an import', () => {
  it('are those of `threefold import`, forever', async () => {
    const keys = await keysOf('date,description,amount,currency\n')
    expect(keys.expense(0n)).toBe('1a5f85a3-7855-89b8-999f-780f97d7ce79')
    expect(keys.category('food', 'shared')).toBe('1bd917b0-0326-8177-8d65-fa95cb5d6867')
    expect(keys.category('food', 'own')).toBe('ee0bfdc2-ad29-8744-aa39-28aa7f604b71')
  })

  it('differ for whatever differs', async () => {
    const run = '018f0000-0000-7000-8000-000000000000'
    const made = (await Promise.all([keysOf('a'), keysOf('b'), keysOf('a', other)])).flatMap((keys) => [
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

  it('are the same for the same chunk, and files share the first id of a category', async () => {
    const [a, again, b, elsewhere] = await Promise.all([keysOf('a'), keysOf('a'), keysOf('b'), keysOf('a', other)])
    expect(a.chunk(3, '[{}]', 2)).toBe(again.chunk(3, '[{}]', 2))
    expect(a.category('food', 'shared')).toBe(b.category('food', 'shared'))
    expect(a.category('food', 'shared')).not.toBe(elsewhere.category('food', 'shared'))
  })

  it('hash a file of many parts as one', async () => {
    const bytes = new Uint8Array(100_000).map((_, index) => index)
    expect(await hashFile(bytes)).toEqual(blake3(bytes))
  })
})
