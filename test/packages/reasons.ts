import type { Gap } from './package-case.ts';

/** For modules with decorators of TypeScript: in the fixture's tsconfig.json. */
export const DECORATORS = '`experimentalDecorators` and `emitDecoratorMetadata` in `tsconfig.json`';

/** Why a push refuses a native package, and what to do. */
export const NATIVE = ['a native package', 'make it [external](#native-and-external-packages)'] as const;

export const OPTIONAL_REQUIRE: Gap = {
  error: 'Could not resolve require',
  why: 'it requires a file whose name it makes up, and a push needs all of them',
};

/** @param error what such a package throws. */
export const requiredByName = (error: string): Gap => ({
  error,
  why: 'it requires another package by a name that it makes up, and a module has only what the compiler found',
});

/** @param error what such a package throws. */
export const ownFiles = (error: string): Gap => ({
  error,
  why: 'it reads files beside its code, and a module has only its code',
});

export const OWN_COPY: Gap = {
  error: 'GraphQL',
  why: 'each module has its own copy of the package, and does not know the classes of another copy',
};
