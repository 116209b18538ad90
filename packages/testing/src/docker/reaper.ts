import { getContainerRuntimeClient, getReaper } from 'testcontainers';
import { REAPER_IMAGE } from 'testcontainers/build/reaper/reaper.js';

import { messageOf } from './available.ts';

/**
 * Starts the container of testcontainers that removes what a killed test leaves behind, once a process; without it, testcontainers starts
 * no other one.
 *
 * @throws Error which names its image, and says what to do.
 */
export async function startReaper(): Promise<void> {
  await getReaper(await getContainerRuntimeClient()).catch((cause: unknown) => {
    throw new Error(
      `testcontainers' reaper, which removes what a killed test leaves behind, did not start from the image ${REAPER_IMAGE} ` +
        `(${messageOf(cause)}): pull the image, name another one with RYUK_CONTAINER_IMAGE, or do without it with ` +
        'TESTCONTAINERS_RYUK_DISABLED=true',
      { cause },
    );
  });
}
