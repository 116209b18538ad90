import type { Cluster } from '../../support/cluster/cluster.ts';

/** Runs in a node's container: opens the inspector, stands at a breakpoint and resumes when the node's log says so. */
const CLIENT = `
const [pid, pausedMs] = process.argv.slice(1).map(Number);
process.kill(pid, 'SIGUSR1');
const targets = async () => (await fetch('http://127.0.0.1:9229/json/list')).json();
let found;
while (found === undefined) {
  try { [found] = await targets(); } catch { await new Promise(resolve => setTimeout(resolve, 50)); }
}
const socket = new WebSocket(found.webSocketDebuggerUrl);
let id = 0;
const post = method => socket.send(JSON.stringify({ id: ++id, method }));
socket.onmessage = ({ data }) => {
  if (JSON.parse(data).method !== 'Debugger.paused') return;
  setTimeout(() => { console.log('paused'); post('Debugger.resume'); setTimeout(() => socket.close(), 100); }, pausedMs);
};
socket.onopen = () => { post('Debugger.enable'); post('Debugger.pause'); };
socket.onclose = () => process.exit();
`;

/** Attaches a debugger to a node, pauses the node for a time (milliseconds), and detaches. Returns what it printed. */
export async function pauseAtBreakpoint(cluster: Cluster, node: string, pausedMs: number): Promise<string> {
  const found = (await cluster.nodes()).find(each => each.node === node);
  if (found?.status !== 'present') throw new Error(`${node} is silent`);
  const args = ['node', '--input-type=module', '--eval', CLIENT, '--', String(found.pid), String(pausedMs)];
  return (await cluster.exec(node, args)).stdout;
}
