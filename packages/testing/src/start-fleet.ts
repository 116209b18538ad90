import type { Fleet, FleetOptions } from './api/fleet.ts';
import type { AnyModules } from './api/modules.ts';

/**
 * Starts a fleet of containers. Resolves when all nodes answer and the proxy serves them.
 *
 * @throws Error which says what is missing: an engine, an image, a node that does not get ready.
 */
export async function startFleet<Modules = AnyModules>(options: FleetOptions = {}): Promise<Fleet<Modules>> {
  // testcontainers takes long to load, and unit tests do without it.
  const fleet = await import('./fleet/fleet.ts');
  return fleet.startFleet<Modules>(options);
}
