import '@fontsource-variable/ibm-plex-sans/wght.css'
import '@fontsource/ibm-plex-mono/400.css'
import '@/styles/tokens.css'
import '@/styles/base.css'
import urql from '@urql/vue'
import { createApp } from 'vue'
import App from '@/App.vue'
import { applyLanguage, i18n } from '@/i18n'
import { router } from '@/router'
import { createServices, provideServices, start } from '@/services'
import { mendMissingParts } from '@/shell/missing-parts'
import { listenToKeys } from '@/shell/shortcuts'
import { applyTheme } from '@/shell/theme'

const services = createServices(location.origin, storage())

applyTheme()
await applyLanguage()
const app = createApp(App).use(i18n).use(router).use(urql, services.client)
provideServices(app, services)
start(services)
listenToKeys()
mendMissingParts(router, services.endpoints)
app.mount('#app')

/** Some browsers forbid even to ask for it. */
function storage(): Storage | null {
  try {
    return localStorage
  } catch {
    return null
  }
}
