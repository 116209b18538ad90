// What `import … from 'hotcast'` gives.
export { type Config, defineConfig } from './config.js';
export type { CodeChange, Hot } from './hot.d.ts';
export type * from './http.d.ts';
