import type { Delimiter } from './parse/delimiter'

/** What the delimiters are called in the texts. */
export const DELIMITER_NAMES = { ',': 'comma', ';': 'semicolon', '\t': 'tab' } as const satisfies Record<Delimiter, string>
