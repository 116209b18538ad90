import { callsReport } from './calls.ts';
import { memoryReport } from './memory.ts';
import { modulesReport } from './modules.ts';
import { speedReport } from './speed.ts';

/** What can be measured, one part a process (runtime.sh). */
const PARTS: Readonly<Record<string, () => Promise<string>>> = {
  hotcast: () => memoryReport('hotcast'),
  import: () => memoryReport('import'),
  speed: speedReport,
  calls: callsReport,
  modules: modulesReport,
};

const report = await PARTS[process.argv[2] ?? '']?.();
process.stdout.write(`${report ?? `there is ${Object.keys(PARTS).join(', ')}`}\n\n`);
process.exit();
