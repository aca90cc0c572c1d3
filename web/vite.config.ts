import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

/** The replica that `npm run dev` talks to. */
const replica = process.env['THREEFOLD_URL'] ?? 'http://127.0.0.1:8081'

export default defineConfig({
  plugins: [
    vue(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/worker',
      filename: 'service-worker.ts',
      registerType: 'prompt',
      injectRegister: false,
      injectManifest: {
        globPatterns: ['**/*.{js,css,html,svg,woff2}'],
        // Scripts that the page is not written in are fetched where somebody types them.
        globIgnores: ['**/*-{cyrillic,cyrillic-ext,greek,vietnamese}-*'],
      },
      includeManifestIcons: false,
      manifest: {
        id: '/',
        name: 'Threefold',
        short_name: 'Threefold',
        description: 'Expenses, kept on three replicas at once',
        categories: ['finance'],
        display: 'standalone',
        start_url: '/',
        background_color: '#eceef3',
        theme_color: '#eceef3',
        icons: [
          { src: '/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
    }),
  ],
  define: {
    // Parts of vue-i18n that nothing here uses.
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    sourcemap: false,
    // Every asset is a file of its own: the page's Content-Security-Policy then needs as few exceptions as it can.
    assetsInlineLimit: 0,
    // The charts' own chunk, loaded when a chart is shown.
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/graphql': { target: replica, ws: true }, '/readyz': replica } },
})
