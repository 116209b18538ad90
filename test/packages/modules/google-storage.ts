import { Storage } from '@google-cloud/storage';
import { withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(
    (request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ items: [{ name: 'a.txt' }, { name: request.url?.split('?')[0] }] }));
    },
    async apiEndpoint => {
      // With an endpoint of its own and no key, it sends no credentials.
      const storage = new Storage({ apiEndpoint, projectId: 'shop', retryOptions: { autoRetry: false } });
      Object.assign(storage.authClient, { getRequestHeaders: () => Promise.resolve(new Headers()) });
      const [files] = await storage.bucket('files').getFiles({ autoPaginate: false });
      return files.map(({ name }) => name);
    },
  );
}
