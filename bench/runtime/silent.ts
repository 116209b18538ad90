import type { Logger } from '../../shared/logger.ts';

const nothing = (): void => undefined;

/** What is measured is the node, not its log. */
export const silent: Logger = { info: nothing, warn: nothing, error: nothing };
