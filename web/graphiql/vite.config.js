import { defineConfig } from 'vite'

const replica = process.env.THREEFOLD_URL ?? 'http://127.0.0.1:8081'

export default defineConfig({
  base: '/graphiql/',
  build: {
    // Monaco alone is larger than the size at which Vite warns.
    chunkSizeWarningLimit: 4096,
    // They would triple what the binary carries.
    sourcemap: false,
    // Every asset is a file of its own: the page's Content-Security-Policy then needs as few exceptions as it can.
    assetsInlineLimit: 0,
    rolldownOptions: {
      onwarn(warning, warn) {
        // "use client" in React libraries: means nothing outside a server that renders React.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning)
      },
    },
  },
  server: {
    proxy: { '/graphql': { target: replica, ws: true } },
  },
})
