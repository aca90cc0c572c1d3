import { describe, expect, it } from 'vitest'
import { decode } from './decode'

const text = 'Datum;Zweck\n1.2.2026;Café für 5 €\n'
const utf8 = new TextEncoder().encode(text)

function utf16(of: string, bigEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(of.length * 2))
  for (let index = 0; index < of.length; index += 1) view.setUint16(index * 2, of.charCodeAt(index), !bigEndian)
  return new Uint8Array(view.buffer)
}

describe('the text of a file', () => {
  it('is read from UTF-8 with and without a byte order mark', () => {
    expect(decode(utf8)).toEqual({ text, encoding: 'utf-8' })
    expect(decode(new Uint8Array([0xef, 0xbb, 0xbf, ...utf8]))).toEqual({ text, encoding: 'utf-8' })
  })

  it('is read from UTF-16 of both orders, with and without a byte order mark', () => {
    for (const mark of ['\ufeff', '']) {
      expect(decode(utf16(mark + text, false))).toEqual({ text, encoding: 'utf-16le' })
      expect(decode(utf16(mark + text, true))).toEqual({ text, encoding: 'utf-16be' })
    }
  })

  it('is read from windows-1252 where it is not UTF-8', () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('Caf'), 0xe9, 0x3b, 0xdf])
    expect(decode(bytes)).toEqual({ text: 'Café;ß', encoding: 'windows-1252' })
  })

  it('has no NUL characters', () => {
    expect(decode(new TextEncoder().encode('a\0b,c\0\0\n')).text).toBe('ab,c\n')
    expect(decode(new Uint8Array())).toEqual({ text: '', encoding: 'utf-8' })
  })
})
