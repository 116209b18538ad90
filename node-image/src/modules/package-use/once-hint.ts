import type { Prepared } from '../loader.ts';

/** What packages say to code that does for the second time what can be done once. */
const ALREADY =
  /\balready\b.{0,40}\b(?:regist|exist|defin|declar|added|initiali|compiled)|\bregistered\b.{0,20}\balready\b|\bcannot overwrite\b/is;

/** Explains the error of a revision that can't load because a version before it did the same in a shared package. */
export function withOnceHint({ packages }: Pick<Prepared, 'packages'>, description: string): string {
  if (packages === null || !ALREADY.test(description)) return description;
  return (
    `${description.replace(/\.$/, '')}. ` +
    'Packages outlive the versions of a module: make this once, with import.meta.hot.keep(key, make) (docs/packages.md)'
  );
}
