/** What the overview reads: the currencies of a period, all that is drawn of one of them, and one category of it. */
import { graphql } from '@/graphql/generated'

/** Of the largest expenses. */
export const TOP_COUNT = 10
/** Of the largest expenses of a single category. */
export const CATEGORY_TOP_COUNT = 5

export const CurrenciesQuery = graphql(`
  query OverviewCurrencies($from: Date!, $to: Date!) {
    ledgers {
      baseCurrency
    }
    summary(filter: { spentFrom: $from, spentTo: $to }, groupBy: []) {
      total {
        currency
      }
      count
    }
  }
`)

/** All charts of the page in one request: they must be of the same moment. */
export const PeriodQuery = graphql(`
  query OverviewPeriod(
    $currency: CurrencyCode!
    $from: Date!
    $to: Date!
    $monthsFrom: Date!
    $daysFrom: Date!
    $top: Int!
  ) {
    months: summary(
      filter: { currency: $currency, spentFrom: $monthsFrom, spentTo: $to }
      groupBy: [MONTH, CATEGORY]
    ) {
      ...OverviewMonth
    }
    days: summary(filter: { currency: $currency, spentFrom: $daysFrom, spentTo: $to }, groupBy: [DAY]) {
      ...OverviewDay
    }
    top: expenses(
      filter: { currency: $currency, spentFrom: $from, spentTo: $to }
      orderBy: { field: AMOUNT, direction: DESC }
      first: $top
    ) {
      nodes {
        ...TopExpense
      }
    }
  }
`)

export const CategoryQuery = graphql(`
  query OverviewCategory(
    $currency: CurrencyCode!
    $from: Date!
    $to: Date!
    $categoryIds: [UUID!]
    $uncategorised: Boolean
    $top: Int!
  ) {
    tags: summary(
      filter: {
        currency: $currency
        spentFrom: $from
        spentTo: $to
        categoryIds: $categoryIds
        uncategorised: $uncategorised
      }
      groupBy: [TAG]
    ) {
      ...OverviewTag
    }
    top: expenses(
      filter: {
        currency: $currency
        spentFrom: $from
        spentTo: $to
        categoryIds: $categoryIds
        uncategorised: $uncategorised
      }
      orderBy: { field: AMOUNT, direction: DESC }
      first: $top
    ) {
      nodes {
        ...TopExpense
      }
    }
  }
`)
