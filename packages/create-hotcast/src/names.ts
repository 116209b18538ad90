import { basename } from 'node:path';

import { COOKIE_RULE, isCookie } from '../../../protocol/names.ts';

export { COOKIE_RULE, isCookie };

/** A project's name is a name for npm, for a folder, and for Docker Compose. */
const PROJECT = /^[a-z0-9][a-z0-9_-]{0,62}$/;

export const PROJECT_RULE =
  'a lower-case letter or a digit, then up to 62 lower-case letters, digits, dashes or underscores';

export const isProjectName = (text: string): boolean => PROJECT.test(text);

/** The nearest valid name: that of the folder, or of the package without its scope. */
export function projectNameOf(text: string): string {
  const name = basename(text)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  return name === '' ? 'my-fleet' : name;
}
