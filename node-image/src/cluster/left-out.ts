import { readFileSync } from 'node:fs';

import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import type { Head } from '../../../protocol/head.ts';
import { count, moduleName } from '../../../protocol/schemas.ts';
import { replaceFile } from '../../../shared/files.ts';
import type { Logger } from '../../../shared/logger.ts';
import { refused } from '../modules/load-result.ts';
import { isLoop, LOOP_MS, LOOP_RESTARTS, type Restarts } from '../watchdog/restarts.ts';

const WHY = `this node restarted ${LOOP_RESTARTS} times in ${LOOP_MS / 60_000} minutes and no module was to blame`;

/** The refusal of a head that is left out. */
export const LEFT_OUT = refused('system_limit', `left out: ${WHY}; a new push of the module loads it again`);

const stateSchema = v.object({
  /** The last restart that was taken into account, milliseconds since 1970; 0 for none. */
  lastRestart: count,
  /** The heads that are left out, by their modules and sequences. */
  heads: v.array(v.object({ module: moduleName, sequence: count })),
});

/** What a node that restarts without end leaves out. */
export type LeftOutState = v.InferOutput<typeof stateSchema>;

/**
 * The next state: nothing that a newer head has replaced, and after one more restart of a loop also the newest pushes, so
 * that 1, 2, 4, 8, … modules are left out. What was pushed together is left out together.
 *
 * @param heads the newest head of every module.
 */
export function nextLeftOut(
  state: LeftOutState,
  heads: readonly Head[],
  restarts: Restarts,
  now: number,
): LeftOutState {
  const isNewest = ({ module, sequence }: LeftOutState['heads'][number]): boolean =>
    heads.some(head => head.module === module && head.sequence === sequence);
  const kept = state.heads.filter(isNewest);
  const lastRestart = restarts.at.at(-1) ?? 0;
  if (lastRestart <= state.lastRestart || !isLoop(restarts, now)) return { ...state, heads: kept };
  const target = Math.max(1, 2 * kept.length);
  const isKept = (head: Head): boolean => kept.some(({ module }) => module === head.module);
  const others = heads.filter(head => head.revision !== null && !isKept(head)).toSorted((a, b) => b.at - a.at);
  for (const push of new Set(others.map(head => head.push))) {
    if (kept.length >= target) break;
    const together = others.filter(head => head.push === push);
    kept.push(...together.map(({ module, sequence }) => ({ module, sequence })));
  }
  return { lastRestart, heads: kept };
}

/** The heads that a node leaves out. */
export interface LeftOut {
  /** Decides, once a process, with the newest head of every module. */
  readonly decide: (heads: readonly Head[]) => void;
  readonly has: (head: Head) => boolean;
}

/** Keeps what is left out in a file, which outlives the process. */
export function leftOutHeads(file: string, restarts: Restarts, log: Logger): LeftOut {
  let state = readState(file);
  let isDecided = false;
  return {
    decide: heads => {
      if (isDecided) return;
      isDecided = true;
      const next = nextLeftOut(state, heads, restarts, Date.now());
      const isChanged = next.lastRestart !== state.lastRestart || next.heads.length !== state.heads.length;
      state = next;
      if (isChanged) save(file, next, log);
      if (next.heads.length === 0) return;
      const modules = next.heads.map(({ module }) => module);
      log.error({ modules }, `left out ${modules.join(', ')}: ${WHY}; a new push of a module loads it again`);
    },
    has: ({ module, sequence }) => state.heads.some(head => head.module === module && head.sequence === sequence),
  };
}

/** A node without a watchdog leaves out nothing. */
export const NOTHING_LEFT_OUT: LeftOut = { decide: () => undefined, has: () => false };

function readState(file: string): LeftOutState {
  try {
    return decode(stateSchema, readFileSync(file));
  } catch {
    return { lastRestart: 0, heads: [] };
  }
}

function save(file: string, state: LeftOutState, log: Logger): void {
  try {
    replaceFile(file, encode(state));
  } catch (error) {
    log.warn({ err: error, file }, 'what is left out could not be saved');
  }
}
