import { installWebClasses } from '../../../../node-image/src/http/web/install.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { bundleOf, headOf, recordingLog } from '../../fixtures.ts';

// A process of its own for lazy-web.test.ts, because what is loaded stays loaded. It prints what is there, step by step.

const isLoaded = (): boolean => 'moduleLoadList' in process && String(process.moduleLoadList).includes('/undici');
const isOurs = (): boolean => Object.hasOwn(Response, Symbol.hasInstance);

installWebClasses();
const codeServer = new CodeServer(recordingLog());
const load = (module: string, code: string): void => {
  const bundle = bundleOf(module, code);
  codeServer.prepare(bundle);
  codeServer.commit([headOf(module, bundle.revision, 1)]);
};
load('plain', 'exports.add = (x, y) => x + y;');
const before = [isLoaded(), isOurs()];
load('web', `exports.default = { fetch: () => new Response('hello') };`);
console.log(JSON.stringify([...before, isLoaded(), isOurs()]));
