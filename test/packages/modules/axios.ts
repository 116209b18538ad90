import axios, { AxiosError } from 'axios';
import { echo, withHttpServer } from './support/http-server.ts';

export function check() {
  return withHttpServer(
    (request, response) => (request.url === '/missing' ? response.writeHead(404).end() : echo(request, response)),
    async baseURL => {
      const client = axios.create({ baseURL, timeout: 5_000 });
      client.interceptors.request.use(config => ({ ...config, params: { page: 2 } }));
      const { data } = await client.post<unknown>('/users', { name: 'Ada' });
      const error: unknown = await axios.get(`${baseURL}/missing`).catch((reason: unknown) => reason);
      return { data, status: error instanceof AxiosError ? error.status : null };
    },
  );
}
