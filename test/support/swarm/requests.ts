import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Asks each address in turn, without keeping connections, until its input ends. Then it prints what was answered. */
const SCRIPT = `
const { get } = require('node:http');
const urls = process.argv.slice(1);
const answers = {};
let isEnding = false;
process.stdin.resume().once('end', () => (isEnding = true));
const ask = url => new Promise(done => {
  const request = get(url, { agent: false, timeout: 10_000 }, response => {
    response.resume().once('end', () => done(response.statusCode)).once('error', () => done('cut off'));
  });
  request.once('timeout', () => request.destroy(new Error('timeout'))).once('error', error => done(error.code ?? error.message));
});
void (async () => {
  for (let index = 0; !isEnding; index += 1) {
    const answer = await ask(urls[index % urls.length]);
    answers[answer] = (answers[answer] ?? 0) + 1;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  console.log(JSON.stringify(answers));
})();
`;

/** Requests to the proxies of machines that are simulated. */
export class Requests {
  readonly #child: ChildProcess;
  #printed = '';

  /** @param path of the module that answers: `/web/hello/Fred`. */
  constructor(machines: readonly number[], path: string) {
    const urls = machines.map(machine => `http://10.77.0.${machine}:8080${path}`);
    // Only the namespace of the switch reaches the machines.
    const args = ['--net=/run/netns/hc0', '--', process.execPath, '--eval', SCRIPT, ...urls];
    this.#child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#printed += text));
  }

  /** Ends them. Returns how many had each status, or each error. */
  async end(): Promise<Readonly<Record<string, number>>> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end();
    await closed;
    return JSON.parse(this.#printed) as Record<string, number>;
  }
}
