/** What equal names have in common: the replicas do not count case and accents (entity/src/value/search.rs). */
export function fold(text: string): string {
  const plain = text.trim().normalize('NFKD').replace(/\p{M}/gu, '')
  // One character at a time, as there: the small sigma at the end of a word is another one otherwise.
  return Array.from(plain, (character) => character.toLowerCase()).join('')
}
