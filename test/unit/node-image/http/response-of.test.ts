import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { responseOf } from '../../../../node-image/src/http/response-of.ts';

/** The headers of a package: their iterator joins cookies. */
const headers = {
  *[Symbol.iterator]() {
    yield ['content-type', 'text/plain'];
    yield ['set-cookie', 'a=1, b=2'];
  },
  getSetCookie: () => ['a=1', 'b=2'],
};
const shaped = (status: number, body: unknown): object => ({
  status,
  statusText: 'Fine',
  headers,
  body,
  arrayBuffer: () => undefined,
});

describe('a response of a package', () => {
  it('is accepted by its shape, with its cookies', async () => {
    const response = responseOf(shaped(201, Readable.from(['yabba ', Buffer.from('dabba')])));
    expect(response).toBeInstanceOf(Response);
    expect([response?.status, response?.statusText]).toEqual([201, 'Fine']);
    expect(response?.headers.get('content-type')).toBe('text/plain');
    expect(response?.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response?.text()).toBe('yabba dabba');
  });

  it('can have a web stream, no body, or a status without a body', async () => {
    expect(await responseOf(shaped(200, new Response('web').body))?.text()).toBe('web');
    expect(responseOf(shaped(200, null))?.body).toBeNull();
    expect(responseOf(shaped(304, Readable.from([])))?.body).toBeNull();
  });
});

it.for([undefined, null, 'text', { status: 200 }, { status: '200', headers, arrayBuffer: () => undefined }])(
  '%s is no response',
  value => {
    expect(responseOf(value)).toBeNull();
  },
);
