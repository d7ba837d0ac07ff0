import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longestFirst.ts'

// Workspace packages resolve to their sources, so a test never runs yesterday's build.
// “import” is not one of them: Node would give it to `require` as well, and CommonJS packages break on that.
const conditions = ['@peerhost/source', 'module', 'node', 'development|production']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'test/**/*.test.ts',
      'scripts/**/*.test.ts',
      'bench/**/*.test.ts',
    ],
    environment: 'node',
    globalSetup: ['test/temporaryFolder.ts'],
    // Most files wait for containers and blocks, not for a core.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
})
