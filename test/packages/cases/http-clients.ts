import { type PackageCase, works } from '../package-case.ts';

const POST = { method: 'POST', path: '/users?page=2', body: '{"name":"Ada"}' };

export const HTTP_CLIENTS: readonly PackageCase[] = [
  works('axios', 'an interceptor, JSON and an error', { data: POST, status: 404 }),
  works('form-data', 'uploads a file', { name: 'Ada', file: 'hello' }),
  works('got', 'a retry, JSON and an error', { body: { ok: true }, failures: 2, status: 404 }),
  works('node-fetch', 'a request with headers', {
    ok: true,
    type: 'application/json',
    body: { method: 'POST', path: '/users', body: 'Ada' },
  }),
  works('superagent', 'a query and JSON', POST),
  works('undici', 'a request and a fetch through an agent', {
    statusCode: 200,
    answers: [
      { method: 'PUT', path: '/a', body: 'x' },
      { method: 'GET', path: '/b', body: '' },
    ],
  }),
];
