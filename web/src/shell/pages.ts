/** The pages of the navigation, and the key that leads to each after `g`. */
import { ArrowLeftRight, ChartPie, Layers, ReceiptText, Tags, Trash2 } from '@lucide/vue'

export const PAGES = [
  { name: 'expenses', icon: ReceiptText, key: '1' },
  { name: 'overview', icon: ChartPie, key: '2' },
  { name: 'categories', icon: Tags, key: '3' },
  { name: 'transfer', icon: ArrowLeftRight, key: '4' },
  { name: 'trash', icon: Trash2, key: '5' },
  { name: 'replicas', icon: Layers, key: '6' },
] as const
