import { measureHotCalls } from './calls.ts';
import { hotCallGoals, hotCallsText } from './calls-report.ts';
import { memoryReport } from './memory.ts';
import { modulesReport } from './modules.ts';
import { speedReport } from './speed.ts';
import { goals } from '../table.ts';

/** What can be measured, one part a process (runtime.sh). */
const PARTS: Readonly<Record<string, () => Promise<string>>> = {
  hotcast: () => memoryReport('hotcast'),
  import: () => memoryReport('import'),
  speed: speedReport,
  calls: async () => {
    const found = await measureHotCalls();
    return `${hotCallsText(found)}\n\n${goals(...hotCallGoals(found))}`;
  },
  modules: modulesReport,
};

const report = await PARTS[process.argv[2] ?? '']?.();
process.stdout.write(`${report ?? `there is ${Object.keys(PARTS).join(', ')}`}\n\n`);
process.exit();
