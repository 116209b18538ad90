/** The parts of crossws's peer and message that are used here. */
interface Peer {
  send(text: string): void;
}
interface Message {
  text(): string;
}

/** A hot module without a framework. */
export default {
  fetch: (): Response => new Response('Hello Fred'),
  websocket: { message: (peer: Peer, message: Message): void => peer.send(message.text()) },
};
