/** What the palette offers of this page, wherever the person is. */
import { ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute, useRouter } from 'vue-router'
import { useCommands } from '@/shell/commands'
import type { Format } from './export/formats'

export type Wanted = 'import' | Format

/** What the page shall do when it is shown; it takes it back when it does. */
export const wanted = ref<Wanted | null>(null)

/** Offers the commands of this page. An export takes along what the person has searched for. */
export function useTransferCommands() {
  const { t } = useI18n()
  const route = useRoute()
  const router = useRouter()
  const command = (what: Wanted) => ({
    id: `transfer-${what}`,
    label: () => t(`transfer.command.${what}`),
    run: () => {
      wanted.value = what
      const { q } = route.query
      if (route.name !== 'transfer') void router.push({ name: 'transfer', query: q && what !== 'import' ? { q } : {} })
    },
  })
  useCommands(command('import'), command('csv'), command('json'))
}
