import { spawn } from 'node:child_process';

/** A connection to an inspector that is reached through another process. */
export interface Bridge {
  readonly send: (message: string) => void;
  readonly close: () => void;
}

export interface BridgeEvents {
  readonly onMessage: (message: string) => void;
  readonly onClose: () => void;
}

/** Connects standard input and output, a message a line, to the WebSocket that its argument names. */
const PROGRAM = `
const socket = new WebSocket(process.argv[1]);
let rest = '';
socket.onopen = () => process.stdin.setEncoding('utf8').on('end', () => process.exit()).on('data', chunk => {
  const lines = (rest + chunk).split('\\n');
  rest = lines.pop();
  for (const line of lines) socket.send(line);
});
socket.onmessage = ({ data }) => process.stdout.write(data + '\\n');
socket.onclose = () => process.exit();`;

/**
 * Connects to the inspector with this URL through a Node.js process that can reach it.
 *
 * @param node The command that starts Node.js where the inspector is.
 */
export function openBridge(node: readonly string[], url: string, { onMessage, onClose }: BridgeEvents): Bridge {
  const [command = '', ...args] = node;
  const bridge = spawn(command, [...args, '--eval', PROGRAM, url], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // Ctrl+C is for the process that has started it, which then closes it.
    detached: true,
  });
  bridge.once('error', onClose).once('close', onClose);
  bridge.stdin.on('error', onClose);
  let rest = '';
  bridge.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onMessage(line);
  });
  return {
    // A line break outside of a string is white space in JSON, and inside there is none.
    send: message => void bridge.stdin.write(`${message.replaceAll('\n', ' ')}\n`),
    close: () => void bridge.stdin.end(),
  };
}
