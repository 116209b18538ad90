import { type Loader, transform } from 'esbuild';

import { esbuildService } from '../esbuild-service.ts';
import type { Tsconfig } from './tsconfig.ts';

/** A file of a module, in TypeScript or JavaScript. */
export interface ScriptFile {
  /** Its path beside the modules folder: `modules/demo.ts`. */
  readonly name: string;
  readonly text: string;
  readonly loader: Loader;
  readonly tsconfig: Tsconfig;
}

/** Compiles a file alone to JavaScript, without comments; null when it has an error, which the build of the module reports. */
export async function toJavaScript({ text, loader, tsconfig: { options } }: ScriptFile): Promise<string | null> {
  const how = { loader, tsconfigRaw: { compilerOptions: options }, target: 'node24' } as const;
  try {
    const { code } = await esbuildService.use(() =>
      transform(text, { ...how, legalComments: 'none', logLevel: 'silent' }),
    );
    return code;
  } catch (error) {
    if (error instanceof Error && 'errors' in error) return null;
    throw error;
  }
}
