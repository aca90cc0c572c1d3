/** Text without case and accents, the way the replicas fold it: `Größe` becomes `große`, `CAFÉ` becomes `cafe`. */
export function fold(text: string): string {
  const bare = text.normalize('NFKD').replace(/\p{M}/gu, '')
  // Character by character: a whole text would get a different sigma at the end of a Greek word.
  return Array.from(bare, (character) => character.toLowerCase()).join('')
}

/** Longest prefix of a word that is compared, in characters. */
const MAX_WORD_CHARS = 32

/** The folded words of a text, in order of appearance. */
export function words(text: string): string[] {
  return fold(text)
    .split(/[^\p{Alphabetic}\p{N}]+/u)
    .filter(Boolean)
    .map((word) => Array.from(word).slice(0, MAX_WORD_CHARS).join(''))
}
