/** What an import takes at most; the page names these where a file is chosen. */
export const MAX_FILE_BYTES = 50 * 1024 * 1024
export const MAX_ROWS = 200_000

/** What the replicas take at most, as they count it: in characters, not in UTF-16 units. */
export const MAX_DESCRIPTION = 255
export const MAX_NOTES = 32_768
export const MAX_CATEGORY_NAME = 64
export const MAX_TAGS = 20
export const MAX_TAG = 64
export const MAX_MINOR_UNITS = 999_999_999_999_999n
export const FIRST_YEAR = 1900
export const LAST_YEAR = 2200
