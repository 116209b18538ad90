import { measureHotCalls } from '../runtime/calls.ts';

process.stdout.write(JSON.stringify(await measureHotCalls()));
process.exit();
