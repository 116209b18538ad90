import { afterAll, afterEach, inject } from 'vitest';

import { textsOfFile } from '../fleet/failed-test.ts';
import { beginFile, endFile, mapStack } from './file-runtime.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly hotcastModules: string;
  }
}

beginFile(inject('hotcastModules'));

afterEach(async ({ task }) => {
  const errors = task.result?.errors ?? [];
  // vitest shows the source of a frame whose file it can read.
  for (const error of errors) if (error.stack !== undefined) error.stack = mapStack(error.stack);
  if (errors.length > 0) for (const text of textsOfFile()) console.error(await text());
});

afterAll(endFile);
