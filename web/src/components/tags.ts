/** What the replicas take as tags. */
export const MAX_TAGS = 20
export const MAX_TAG_LENGTH = 64

/** Trimmed, each once, none empty, and no more than may be. */
export function cleanTags(tags: readonly string[]): string[] {
  const clean = tags.map((tag) => Array.from(tag.trim()).slice(0, MAX_TAG_LENGTH).join('')).filter(Boolean)
  return [...new Set(clean)].slice(0, MAX_TAGS)
}
