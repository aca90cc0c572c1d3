/** Text in the person's language. English is the one that every other falls back on, and whose shape they share. */
import { createI18n } from 'vue-i18n'
import en from '@/locales/en'

export const LANGUAGES = ['en', 'de'] as const
export type Language = (typeof LANGUAGES)[number]
export type Messages = typeof en

const STORAGE_KEY = 'threefold.language'

/** The languages that are loaded when they are needed. */
const loaders: Record<Exclude<Language, 'en'>, () => Promise<{ default: Messages }>> = {
  de: () => import('@/locales/de'),
}

export const i18n = createI18n<[Messages], Language, false>({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as Record<Language, Messages>,
})

/** The language that the person chose; null where they left it to the browser. */
export function chosenLanguage(): Language | null {
  const stored = read()
  return LANGUAGES.find((language) => language === stored) ?? null
}

/** Shows that language, or the browser's where it is null, and remembers the choice. */
export async function chooseLanguage(language: Language | null) {
  try {
    if (language) localStorage.setItem(STORAGE_KEY, language)
    else localStorage.removeItem(STORAGE_KEY)
  } catch {
    // For this visit only.
  }
  await applyLanguage()
}

/** Loads and shows the person's language. */
export async function applyLanguage() {
  const language = chosenLanguage() ?? browserLanguage()
  if (language !== 'en' && !i18n.global.availableLocales.includes(language)) {
    const { default: messages } = await loaders[language]()
    i18n.global.setLocaleMessage(language, messages)
  }
  i18n.global.locale.value = language
  document.documentElement.lang = language
}

function browserLanguage(): Language {
  for (const tag of navigator.languages) {
    const language = LANGUAGES.find((known) => tag.toLowerCase().split('-')[0] === known)
    if (language) return language
  }
  return 'en'
}

function read(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY)
  } catch {
    return null
  }
}
