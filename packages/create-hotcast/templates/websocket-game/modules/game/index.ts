import type { HttpModule, WebSocketHooks } from 'hotcast';

import { join, leave, move, newBoard, SIZE } from './board.ts';
import page from './page.html';

/** The room of this node. It belongs to the module, so it survives every push. */
const room = import.meta.hot.dataOf({ board: newBoard() });

// The sockets belong to the node. Each event reaches the current version.
const websocket: WebSocketHooks = {
  open(peer) {
    peer.subscribe('room');
    join(room.board, peer.id);
    peer.send({ ...view(), you: peer.id });
    peer.publish('room', view());
  },
  message(peer, message) {
    move(room.board, peer.id, message.text());
    peer.send(view());
    peer.publish('room', view());
  },
  close(peer) {
    leave(room.board, peer.id);
    peer.publish('room', view());
  },
};

/** What players see. */
function view() {
  return { ...room.board, size: SIZE };
}

/** The number of players on this node: `hotcast call 'game.players()'` asks every node. */
export function players(): number {
  return Object.keys(room.board.players).length;
}

const headers = { 'content-type': 'text/html; charset=utf-8' };

export default { fetch: () => new Response(page, { headers }), websocket } satisfies HttpModule;
