import { defineConfig } from 'vitest/config'

// Workspace packages resolve to their sources, so a test never runs yesterday's build.
const conditions = ['@peerhost/source', 'module', 'node', 'development|production', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    environment: 'node',
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
})
