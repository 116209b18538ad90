import { hotcast } from '@hotcast/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // `import.meta.hot` and `hot:` imports in tests.
  plugins: [hotcast()],
  test: { include: ['fleet-tests/*.ts'], testTimeout: 180_000 },
});
