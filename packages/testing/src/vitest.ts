export { hotcast, type HotcastPluginOptions } from './vitest/plugin.ts';
