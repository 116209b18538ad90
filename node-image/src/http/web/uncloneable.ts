import workers from 'node:worker_threads';

type Mark = (object: object) => void;

/** Has `structuredClone` refuse an object, as it refuses those of Node.js. The project's own tools also run on Node.js 20, without it. */
export const markAsUncloneable: Mark = 'markAsUncloneable' in workers ? workers.markAsUncloneable : () => undefined;
