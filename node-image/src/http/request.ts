import type { IncomingMessage } from 'node:http';

import { PREFIX_HEADER } from './web/incoming-headers.ts';

/** Gives a request the target that its module sees, and the rest of it in a header. */
export function removeModule(incoming: IncomingMessage, module: string, path: string): void {
  incoming.url = path;
  incoming.headers[PREFIX_HEADER] = `/${module}`;
}
