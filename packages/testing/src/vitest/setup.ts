import { afterAll, afterEach, inject } from 'vitest';

import { beginFile, endFile, mapStack } from './file-runtime.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly hotcastModules: string;
  }
}

beginFile(inject('hotcastModules'));

// vitest shows the source of a frame whose file it can read.
afterEach(({ task }) => {
  for (const error of task.result?.errors ?? []) if (error.stack !== undefined) error.stack = mapStack(error.stack);
});

afterAll(endFile);
