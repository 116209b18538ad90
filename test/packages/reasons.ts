import type { Gap } from './package-case.ts';

/** For modules with decorators of TypeScript: in the fixture's tsconfig.json. */
export const DECORATORS = '`experimentalDecorators` and `emitDecoratorMetadata` in `tsconfig.json`';

/** Why a push refuses a native package, and what to do. */
export const NATIVE = ['a native package', 'make it [external](#native-and-external-packages)'] as const;

export const MEMORY: Gap = {
  error: 'it takes more than 256 MB while it loads',
  why: 'the controller packs it and all that it reaches, and has not enough memory for the preflight then',
};

export const REFLECT: Gap = {
  error: 'its package reflect-metadata changes',
  why: 'the preflight takes what reflect-metadata adds to `Reflect` for a change',
};
