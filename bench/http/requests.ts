import { createHash } from 'node:crypto';

import type { Exchanges } from './load.ts';

const HEAD = 'host: 127.0.0.1:8080\r\naccept: */*\r\nuser-agent: bench\r\n';
const JSON_TEXT = JSON.stringify({ items: Array.from({ length: 5 }, (_, id) => ({ id, name: 'betty' })) });

/** What is measured: a path of the app, with so many connections. */
export interface Case {
  readonly name: string;
  readonly kind: 'hono' | 'plain' | 'websocket';
  readonly path: string;
  readonly post?: boolean;
  readonly connections: number;
  /** Requests of one turn, in thousands. */
  readonly thousands: number;
}

export const CASES: readonly Case[] = [
  { name: 'GET, a short text', kind: 'hono', path: '/hello/fred', connections: 16, thousands: 12 },
  { name: 'GET, 1 KB of JSON', kind: 'hono', path: '/json', connections: 16, thousands: 12 },
  { name: 'POST of JSON, sent back', kind: 'hono', path: '/echo', post: true, connections: 16, thousands: 9 },
  { name: 'GET, 100 KB', kind: 'hono', path: '/large', connections: 16, thousands: 6 },
  { name: 'a stream of 50 chunks', kind: 'hono', path: '/stream', connections: 16, thousands: 3 },
  { name: 'GET, a short text, 256 connections', kind: 'hono', path: '/hello/fred', connections: 256, thousands: 15 },
  { name: 'fetch without a framework', kind: 'plain', path: '/', connections: 16, thousands: 12 },
  { name: 'WebSocket, 32 bytes sent back', kind: 'websocket', path: '/', connections: 16, thousands: 15 },
];

/** @param prefix of the path on this server: `/web`. */
export function exchangesOf({ kind, path, post }: Case, prefix: string): Exchanges {
  const target = `${prefix}${path}`;
  if (kind === 'websocket') return websocketEcho(target);
  const body = post === true ? JSON_TEXT : '';
  const headers = post === true ? `content-type: application/json\r\ncontent-length: ${body.length}\r\n` : '';
  return {
    request: `${post === true ? 'POST' : 'GET'} ${target} HTTP/1.1\r\n${HEAD}${headers}\r\n${body}`,
    lengthOf: responseLength,
  };
}

/** The length of a response with `content-length`, or in chunks. @throws Error when its status is not 200. */
export function responseLength(received: Buffer): number | null {
  const text = received.toString('latin1');
  const end = text.indexOf('\r\n\r\n') + 4;
  if (end === 3) return null;
  if (!text.startsWith('HTTP/1.1 200')) throw new Error(`the server answered ${text.slice(0, text.indexOf('\r\n'))}`);
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  if (length !== undefined) return end + Number(length);
  return text.endsWith('\r\n0\r\n\r\n') ? text.length : null;
}

/** A masked text frame, and one without a mask as its answer. */
function websocketEcho(target: string): Exchanges {
  const message = Buffer.from('yabba dabba doo '.repeat(2));
  const mask = createHash('sha256').update('bedrock').digest().subarray(0, 4);
  const masked = message.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n';
  return {
    opening: `GET ${target} HTTP/1.1\r\n${HEAD}${upgrade}sec-websocket-key: ${Buffer.alloc(16, 1).toString('base64')}\r\n\r\n`,
    request: Buffer.concat([Buffer.from([0x81, 0x80 | message.length]), mask, masked]),
    lengthOf: () => message.length + 2,
  };
}
