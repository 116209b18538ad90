import { PACKAGE_VERSION } from '../../../shared/package-version.ts';

/** A sentence about a command line on the host that has another version than this one, which is that of the controller. */
export function hostVersionWarning(version: string): string | null {
  if (version === PACKAGE_VERSION) return null;
  const same = `npm install hotcast@${PACKAGE_VERSION} gives the same`;
  return `this hotcast has version ${version}, and the controller ${PACKAGE_VERSION}. Releases that follow each other work together; ${same}`;
}
