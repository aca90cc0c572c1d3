/** Makes a category that was typed and not there. */
import { useI18n } from 'vue-i18n'
import { showToast } from '@/components/toasts'
import { graphql } from '@/graphql/generated'
import { newId } from '@/outbox/id'
import { useServices } from '@/services'

const QuickAddCategory = graphql(`
  mutation QuickAddCategory($input: AddCategoryInput!) {
    addCategory(input: $input) {
      category {
        id
      }
      userErrors {
        message
      }
    }
  }
`)

/** Answers with the id of the new category; null where there is none, after saying why. */
export function useCreateCategory(): (name: string) => Promise<string | null> {
  const { t } = useI18n()
  const { client } = useServices()
  return async (name) => {
    const input = { id: newId(), idempotencyKey: newId(), name }
    const { data, error } = await client.mutation(QuickAddCategory, { input }).toPromise()
    const payload = data?.addCategory
    if (payload?.category) return payload.category.id
    const why = payload?.userErrors[0]?.message
    const text = error && !why ? t('quickAdd.problem.categoryUnsent', { name }) : (why ?? t('common.failed'))
    showToast(text, { tone: 'bad' })
    return null
  }
}
