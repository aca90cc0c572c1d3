import 'fake-indexeddb/auto'
import { config } from '@vue/test-utils'
import { i18n } from '@/i18n'

config.global.plugins.push(i18n)
