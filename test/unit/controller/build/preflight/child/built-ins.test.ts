import { createServer } from 'node:http';
import type * as Http from 'node:http';
import { Server } from 'node:net';

import { afterAll, expect, it, vi } from 'vitest';

import { builtIns } from '../../../../../../controller/src/build/preflight/child/built-ins.ts';

const { listen } = Object.getOwnPropertyDescriptors(Server.prototype) as unknown as Record<string, PropertyDescriptor>;
afterAll(() => void Object.defineProperty(Server.prototype, 'listen', listen ?? {}));

it('http has what frameworks need while they load, and its servers do not listen', () => {
  const io = { request: 'a stub', METHODS: 'a stub' };
  const onListen = vi.fn<() => void>();
  const require = builtIns({ io, inert: {}, hotImport: () => ({}), onNative: () => undefined, onListen });
  const http = require('node:http') as typeof Http;
  expect(http.METHODS).toContain('GET');
  expect(http.request).toBe('a stub');
  expect(require('http')).toBe(http);
  const server = http.createServer();
  expect(onListen).not.toHaveBeenCalled();
  expect(server.listen(0)).toBe(server);
  expect([server.listening, onListen.mock.calls.length]).toEqual([false, 1]);
});

it('servers of packages do not listen either, and need no permission', () => {
  const onListen = vi.fn<() => void>();
  builtIns({ io: {}, inert: {}, hotImport: () => ({}), onNative: () => undefined, onListen });
  const server = createServer().listen(0);
  expect([server.listening, onListen.mock.calls.length]).toEqual([false, 1]);
});
