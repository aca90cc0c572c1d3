/** The text of a file, whatever wrote it. */

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

/** Bytes that are looked at to tell UTF-16 that does not say so. */
const SAMPLE_BYTES = 4096

/**
 * Reads the bytes as what their beginning says, else as UTF-8, else as windows-1252, in which nothing is invalid. NUL
 * characters, which some banks pad fields with, are left out.
 */
export function decode(bytes: Uint8Array): { text: string; encoding: Encoding } {
  const encoding = detect(bytes)
  try {
    return { text: read(bytes, encoding), encoding }
  } catch {
    return { text: read(bytes, 'windows-1252'), encoding: 'windows-1252' }
  }
}

function read(bytes: Uint8Array, encoding: Encoding): string {
  // A byte order mark is dropped by the decoder.
  return new TextDecoder(encoding, { fatal: encoding === 'utf-8' }).decode(bytes).replaceAll('\0', '')
}

function detect(bytes: Uint8Array): Encoding {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  // Most of a CSV file is ASCII, of which UTF-16 makes every other byte zero.
  const nul = [0, 0]
  const sample = bytes.subarray(0, SAMPLE_BYTES)
  sample.forEach((byte, index) => {
    if (byte === 0) nul[index % 2] = (nul[index % 2] ?? 0) + 1
  })
  const [even = 0, odd = 0] = nul
  if (odd > sample.length / 4 && even === 0) return 'utf-16le'
  if (even > sample.length / 4 && odd === 0) return 'utf-16be'
  return 'utf-8'
}
