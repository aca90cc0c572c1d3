/**
 * Names for what an import sends, derived from the file: the same file makes the same ids, so that a second import of
 * it adds nothing, whether it is done here or by `threefold import` (api/src/cli/import/keys.rs). The derivations that
 * both share are promises to imports of the past; the tests hold both to the same values.
 */
import { blake3 } from '@noble/hashes/blake3.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { inSlices } from '../parse/slices'

/** Most attempts of one thing, each with a key of its own. */
export const MAX_ATTEMPTS = 1000

/** Bytes that are hashed in one go. */
const PART_BYTES = 16 * 1024

/** Hash of a file's whole content, a part at a time. */
export async function hashFile(bytes: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> {
  const hasher = blake3.create()
  await inSlices(partsOf(bytes), (part) => hasher.update(part), signal)
  return hasher.digest()
}

function* partsOf(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES)
}

export type Keys = ReturnType<typeof createKeys>

/** Makes the ids and idempotency keys of one file's import into one ledger. */
export function createKeys(file: Uint8Array, ledgerId: string) {
  const ledger = bytesOf(ledgerId)
  const ofFile = (context: string, ...what: Uint8Array[]) => derive(context, file, ledger, ...what)

  return {
    /** Id of the expense in that row; see `rowNumber` for how rows are counted. */
    expense: (row: bigint) => ofFile('threefold import v1: id of an expense', u64(row)),
    /** Id of a category to add. All files share one id a name; where that one is taken, the file has its own. */
    category: (foldedName: string, id: 'shared' | 'own') => {
      const context = 'threefold import v1: id of a category'
      const name = utf8ToBytes(foldedName)
      return id === 'shared' ? derive(context, ledger, name) : ofFile(context, name)
    },
    /**
     * Idempotency key of a chunk. It depends on what the rows become under the chosen mapping: a chunk that is sent
     * again is the same one, a chunk that was mapped anew is another.
     */
    chunk: (number: number, content: string, attempt: number) =>
      ofFile(
        'threefold page import v1: idempotency key of a chunk',
        u64(BigInt(number)),
        u32(attempt),
        blake3(utf8ToBytes(content)),
      ),
    /** Idempotency key for one step (`delete`, `restore`, `update`) with an expense, in one run of an import. */
    step: (run: string, step: string, expenseId: string) =>
      ofFile('threefold page import v1: idempotency key of a step', bytesOf(run), bytesOf(expenseId), utf8ToBytes(step)),
  }
}

/** A version 8 UUID from the hash of `parts`; only the last part may vary in length. */
function derive(context: string, ...parts: Uint8Array[]): string {
  const hasher = blake3.create({ context: utf8ToBytes(context) })
  for (const part of parts) hasher.update(part)
  const bytes = hasher.digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytesToHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The bytes of any UUID: also of those that no version describes, which clients may have chosen. */
function bytesOf(uuid: string): Uint8Array {
  return hexToBytes(uuid.replaceAll('-', ''))
}

function u64(number: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, number), true)
  return bytes
}

function u32(number: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, number, true)
  return bytes
}
