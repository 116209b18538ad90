/** Runs `docker compose` for one project. */
export type Compose = (...words: string[]) => Promise<string>;

/**
 * Removes all of a Compose project.
 *
 * The engine sometimes holds a network for good whose last container is gone; the next start takes that over.
 *
 * @throws Error when containers are left.
 */
export async function takeDown(compose: Compose): Promise<void> {
  try {
    await compose('down', '--timeout', '1', '--volumes');
  } catch (error) {
    if ((await compose('ps', '--all', '--quiet')) !== '') throw error;
  }
}
