import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['oxbow-source'] },
  ssr: { resolve: { conditions: ['oxbow-source'], externalConditions: ['oxbow-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/examples/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    // Some build a page and start a browser first, on machines that are busy with other tests.
    hookTimeout: 120_000,
  },
});
