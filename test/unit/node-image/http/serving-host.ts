import { afterAll, afterEach } from 'vitest';

import { type HttpServer, startHttpServer } from '../../../../node-image/src/http/server.ts';
import { installWebClasses } from '../../../../node-image/src/http/web/install.ts';
import { hosts } from '../modules/host.ts';

export type Serving = Awaited<ReturnType<ReturnType<typeof servingHosts>>>;

/** Gives a function that makes nodes which serve by HTTP. They stop after each test. */
export function servingHosts() {
  const host = hosts();
  const servers: HttpServer[] = [];
  const webClasses = installWebClasses();
  afterAll(() => webClasses[Symbol.dispose]());
  afterEach(() => {
    for (const server of servers.splice(0)) void server.stop(0);
  });
  return async () => {
    const node = host();
    const http = await startHttpServer({ port: 0, node: 'fred', codeServer: node.server });
    servers.push(http);
    const base = `http://127.0.0.1:${http.port}`;
    const get = (path: string, init?: RequestInit): Promise<Response> =>
      fetch(base + path, { redirect: 'manual', ...init });
    return { ...node, http, base, get };
  };
}

/** A module whose `fetch` has this body. */
export const serving = (body: string): string => `export default { async fetch(request: Request) { ${body} } };`;
