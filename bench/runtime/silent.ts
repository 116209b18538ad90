import type { Logger } from '../../node-image/src/logger.ts';

const nothing = (): void => undefined;

/** What is measured is the node, not its log. */
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
