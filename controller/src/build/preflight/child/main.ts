import { evaluate } from './evaluate.ts';
import { pictures } from './intrinsics.ts';
import { surround } from './environment.ts';
import type { Answer, Candidate, Question, Verdict } from '../protocol.ts';

// The preflight's process: started without permissions, asked once, and ended by the controller.
const answer = process.send?.bind(process);
const environment = surround();
const before = pictures();

process.once('message', ({ token, candidates }: Question) => {
  for (const candidate of candidates) {
    const verdict = judge(candidate);
    answer?.({ token, verdict } satisfies Answer);
    if (verdict.status === 'refused') return;
  }
});
answer?.('ready');

/** Not even this code may work when a module has changed what it is made of. */
function judge(candidate: Candidate): Verdict {
  try {
    return evaluate(candidate, environment, before);
  } catch {
    return { status: 'refused', reason: 'intrinsics', detail: 'it changes what all code needs to run', stack: null };
  }
}
