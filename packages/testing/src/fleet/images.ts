import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import type { Images } from './container-specs.ts';

/**
 * The images of a fleet.
 *
 * @param template the name of an image with `{service}` in it; default: the published images of this version.
 */
export function imagesOf(template: string | undefined, env: Readonly<Record<string, string | undefined>>): Images {
  const published = `${env['HOTCAST_IMAGES'] || 'hotcast'}/{service}:${PACKAGE_VERSION}`;
  const names = template ?? (env['HOTCAST_TEST_IMAGES'] || published);
  return service => names.replace('{service}', service);
}
