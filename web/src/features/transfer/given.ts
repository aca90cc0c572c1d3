import type { Given } from './import/source'

/** A file that was chosen or dropped. */
export function givenFile(file: File): Given {
  return { name: file.name, size: file.size, bytes: async () => new Uint8Array(await file.arrayBuffer()) }
}

/** Text that was pasted: the same text is the same file. */
export function givenText(text: string, name: string): Given {
  const bytes = new TextEncoder().encode(text)
  return { name, size: bytes.length, bytes: () => Promise.resolve(bytes) }
}
