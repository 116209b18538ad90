import { basename, join, resolve } from 'node:path';

/**
 * The configuration of an image that is not ours: a file of the repository, and beside the code in the package.
 *
 * @param path its path in the repository.
 */
export function configurationFile(path: string): string {
  const isPackage = !import.meta.filename.endsWith('.ts');
  return isPackage ? join(import.meta.dirname, basename(path)) : resolve(import.meta.dirname, '../../../..', path);
}
