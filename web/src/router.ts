import { createRouter, createWebHistory } from 'vue-router'
import ExpensesPage from '@/features/expenses/ExpensesPage.vue'

/** The pages. The first is part of the main script, the others come when they are opened. */
export const router = createRouter({
  history: createWebHistory(),
  // Another page begins at its top, or where it was left; the same page with another query stays where it is.
  scrollBehavior: (to, from, saved) => saved ?? (to.name === from.name ? false : { top: 0 }),
  routes: [
    { path: '/', name: 'expenses', component: ExpensesPage },
    { path: '/overview', name: 'overview', component: () => import('@/features/overview/OverviewPage.vue') },
    { path: '/categories', name: 'categories', component: () => import('@/features/categories/CategoriesPage.vue') },
    { path: '/transfer', name: 'transfer', component: () => import('@/features/transfer/TransferPage.vue') },
    { path: '/trash', name: 'trash', component: () => import('@/features/expenses/TrashPage.vue') },
    { path: '/replicas', name: 'replicas', component: () => import('@/features/replicas/ReplicasPage.vue') },
    { path: '/:rest(.*)*', name: 'not-found', component: () => import('@/shell/NotFoundPage.vue') },
  ],
})
