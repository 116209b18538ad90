import { hotcast } from '@hotcast/testing/vitest';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // `import.meta.hot` and `hot:` imports in tests.
  plugins: [hotcast()],
  test: { testTimeout: 180_000 },
});
