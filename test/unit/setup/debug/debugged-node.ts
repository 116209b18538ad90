// The modules of a node in a process of its own. Each line of its input is a folder of modules: it loads the module demo from
// there and calls add(4, 5). It prints the name of the script and what the function returned.
import { createInterface } from 'node:readline';

import { compile } from '../../../../controller/src/build/compile.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { scriptName } from '../../../../node-image/src/modules/version.ts';
import { giveDebuggersMaps } from '../../../../node-image/src/process/debugger-maps.ts';
import { headOf, recordingLog } from '../../fixtures.ts';

const server = new CodeServer(recordingLog());
giveDebuggersMaps(server.errors.sourceMap);
let sequence = 0;

for await (const modulesDir of createInterface({ input: process.stdin })) {
  const { bundle } = await compile(modulesDir, 'demo');
  sequence += 1;
  server.prepare(bundle);
  server.commit([headOf('demo', bundle.revision, sequence)]);
  const add = server.current('demo')?.exports['add'] as (a: number, b: number) => number;
  console.log(JSON.stringify([scriptName(bundle), add(4, 5)]));
}
