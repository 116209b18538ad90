export type * from './api/fleet.ts';
export type * from './api/modules.ts';
export type * from './api/runtime.ts';
export { createRuntime } from './runtime/runtime.ts';
export { startFleet } from './start-fleet.ts';
export { testRuntime } from './vitest/file-runtime.ts';
