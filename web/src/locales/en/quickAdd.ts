export default {
  title: 'New expense',
  date: 'Date',
  amount: {
    label: 'Amount',
    negate: 'Change the sign',
    syntax: 'This is no number and no calculation.',
    decimals: '{currency} has no decimals. | {currency} has {count} decimal at most. | {currency} has {count} decimals at most.',
    zero: 'An amount cannot be zero.',
    large: 'This is too large for an amount.',
    division: 'Nothing can be divided by zero.',
    missing: 'How much was it?',
  },
  currency: 'Currency',
  category: 'Category',
  description: 'Description',
  descriptionHint: 'What was it?',
  tags: {
    label: 'Tags',
    remove: 'Remove the tag {tag}',
    full: 'No more than {count} tags.',
  },
  notes: 'Notes',
  picker: {
    open: 'Show all',
    none: 'Nothing is called like that.',
    create: 'Create “{name}”',
  },
}
