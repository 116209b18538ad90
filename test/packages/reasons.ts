/** For modules with decorators of TypeScript: in the fixture's tsconfig.json. */
export const DECORATORS = '`experimentalDecorators` and `emitDecoratorMetadata` in `tsconfig.json`';

/** Why a push refuses a native package, and what to do. */
export const NATIVE = ['a native package', 'make it [external](#native-and-external-packages)'] as const;
