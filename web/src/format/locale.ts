/** The locale of dates and amounts: the browser's own, in the language that is shown. */
import { computed } from 'vue'
import { i18n } from '@/i18n'

export const locale = computed(() => {
  const language = i18n.global.locale.value
  // A person in Vienna who reads German gets Austrian dates, not German ones.
  return navigator.languages.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language
})
