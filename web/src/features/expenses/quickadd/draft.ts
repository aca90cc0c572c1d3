/** What is typed in the form: kept over a reload, and never lost by an error. */
import { reactive, watch } from 'vue'
import { isDate } from '@/format/date'
import { editableAmount } from '@/format/number'

const STORAGE_KEY = 'threefold.draft'
/** Most drafts that wait behind the one in the form. */
const MAX_SET_ASIDE = 5

export interface Draft {
  description: string
  /** As typed. */
  amount: string
  /** Null: the usual one. */
  currency: string | null
  categoryId: string | null
  /** Null: today, also after midnight. */
  spentOn: string | null
  tags: string[]
  notes: string
}

/** What an expense was sent as. */
export interface Sent {
  description: string
  amount: string
  currency: string
  spentOn: string
  categoryId?: string | null | undefined
  tags?: readonly string[] | null | undefined
  notes?: string | null | undefined
}

export function emptyDraft(): Draft {
  return { description: '', amount: '', currency: null, categoryId: null, spentOn: null, tags: [], notes: '' }
}

/** True where clearing it would lose something. */
export function hasContent({ description, amount, tags, notes }: Draft): boolean {
  return [description, amount, notes].some((text) => text.trim() !== '') || tags.length > 0
}

export function useDraft(storage: Storage | null) {
  const draft = reactive<Draft>(read(storage))
  const setAside: Draft[] = []

  watch(draft, () => write(storage, draft), { deep: true })

  return {
    draft,
    /** For the next one: date, category and currency stay, or what was set aside comes back. */
    next() {
      const { currency, categoryId, spentOn } = draft
      Object.assign(draft, setAside.pop() ?? { ...emptyDraft(), currency, categoryId, spentOn })
    },
    /** Puts an expense into the form to be corrected; what was there comes back after it. */
    correct(sent: Sent, locale: string) {
      if (hasContent(draft) && setAside.length < MAX_SET_ASIDE) setAside.push({ ...draft, tags: [...draft.tags] })
      Object.assign(draft, {
        description: sent.description,
        amount: editableAmount(sent.amount, locale),
        currency: sent.currency,
        categoryId: sent.categoryId ?? null,
        spentOn: sent.spentOn,
        tags: [...(sent.tags ?? [])],
        notes: sent.notes ?? '',
      } satisfies Draft)
    },
  }
}

function read(storage: Storage | null): Draft {
  try {
    const stored: unknown = JSON.parse(storage?.getItem(STORAGE_KEY) ?? '{}')
    return { ...emptyDraft(), ...valid((stored ?? {}) as Record<string, unknown>) }
  } catch {
    return emptyDraft()
  }
}

/** Only what has the shape of a draft: another version of the page may have written it. */
function valid(stored: Record<string, unknown>): Partial<Draft> {
  const draft: Partial<Draft> = {}
  for (const key of ['description', 'amount', 'notes'] as const) {
    const text = stored[key]
    if (typeof text === 'string') draft[key] = text
  }
  const { currency, categoryId, spentOn, tags } = stored
  if (typeof currency === 'string' && /^[A-Z]{3}$/.test(currency)) draft.currency = currency
  if (typeof categoryId === 'string') draft.categoryId = categoryId
  if (typeof spentOn === 'string' && isDate(spentOn)) draft.spentOn = spentOn
  if (Array.isArray(tags)) draft.tags = tags.filter((tag) => typeof tag === 'string')
  return draft
}

function write(storage: Storage | null, draft: Draft) {
  try {
    storage?.setItem(STORAGE_KEY, JSON.stringify(draft))
  } catch {
    // It lives as long as the page does.
  }
}
