import type { Duplex } from 'node:stream';

/** A close frame of a server (RFC 6455, 5.5.1) with the code 1012, "service restart": the client connects again. */
const CLOSE_FRAME = Uint8Array.of(0x88, 2, 1012 >> 8, 1012 & 0xff);

/** Ends a WebSocket connection of a version, if the version has not done it, after what was written to it. */
export function endWebSocket(socket: Duplex): void {
  if (socket.writable) socket.write(CLOSE_FRAME);
  if ('destroySoon' in socket && typeof socket.destroySoon === 'function') socket.destroySoon();
  else socket.end();
}
