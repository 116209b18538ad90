import { getContainerRuntimeClient, ImageName } from 'testcontainers';

/**
 * Checks that the engine answers and has some images, and pulls those that it lacks.
 *
 * @param hint what else helps when an image is missing, a sentence.
 * @throws Error which says what to do.
 */
export async function checkAvailable(images: readonly string[], hint: string): Promise<void> {
  const client = await getContainerRuntimeClient().catch((cause: unknown) => {
    const how = 'start Docker, or say where it is with DOCKER_HOST';
    throw new Error(`no container engine answers: ${how} (\`docker info\` must work for this user)`, { cause });
  });
  await Promise.all(
    [...new Set(images)].map(async image => {
      const name = ImageName.fromString(image);
      if (await client.image.exists(name)) return;
      await client.image.pull(name).catch((cause: unknown) => {
        throw new Error(`the image ${image} is not here and can't be pulled (${messageOf(cause)}): ${hint}`, { cause });
      });
    }),
  );
}

/** The message of what was thrown. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim();
}
