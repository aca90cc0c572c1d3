/** An expense as every part of the page knows it. */
import type { ExpenseFieldsFragment, CategoryFieldsFragment } from '@/graphql/generated/graphql'

export type Expense = ExpenseFieldsFragment
export type Category = CategoryFieldsFragment
