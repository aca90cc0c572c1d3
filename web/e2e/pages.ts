/** Every page with its heading, for what holds on each of them. */
export const PAGES = [
  { path: '/', name: 'expenses', heading: 'Expenses' },
  { path: '/overview', name: 'overview', heading: 'Overview' },
  { path: '/categories', name: 'categories', heading: 'Categories' },
  { path: '/transfer', name: 'transfer', heading: 'Import & export' },
  { path: '/trash', name: 'trash', heading: 'Trash' },
  { path: '/replicas', name: 'replicas', heading: 'Replicas' },
  { path: '/no-such-page', name: 'not-found', heading: 'No such page' },
] as const
