import { stop, transform } from 'esbuild';

import { type Helper, HelperProcess } from './helper-process.ts';

/** esbuild's process. It has one for all builds, and starts another one only after a stop. */
export const esbuildService = new HelperProcess('esbuild', () => void stop());

export const esbuildHelper: Helper = {
  start: async () => void (await esbuildService.use(() => transform(''))),
  takeEnd: () => esbuildService.takeEnd(),
};
