import type { Images } from '../../../packages/testing/src/fleet/container-specs.ts';

/** The image of a service, with the name that Compose gives it in this repository. */
export const projectImage: Images = service => `${process.env['HOTCAST_PROJECT'] || 'hotcast'}-${service}`;
