import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { type BanCause, banCause } from '../../../protocol/messages.ts';
import { count } from '../../../protocol/schemas.ts';
import { replaceFile } from '../../../shared/files.ts';

/** The maximum number of bans that are kept. */
const MAX_BANS = 100;

const banSchema = v.object({
  /** The name of the revision's script: `demo@3f2a9c81b0d4`. */
  script: v.string(),
  /** One line for people: what it did, when and where. */
  detail: v.string(),
  cause: v.optional(banCause, 'stalled'),
  /** Whether the revision is refused now. */
  active: v.boolean(),
  /** The sequence of the head that lifted the ban last, 0 for none: the same head does not lift it twice. */
  liftedBy: count,
});

/** A revision that has brought the node down. */
export type Ban = v.InferOutput<typeof banSchema>;

const fileSchema = v.object({ bans: v.array(banSchema) });

/** The revisions that this node refuses. */
export class Bans {
  #bans: readonly Ban[];
  readonly #save: (bans: readonly Ban[]) => void;

  constructor(bans: readonly Ban[] = [], save: (bans: readonly Ban[]) => void = () => undefined) {
    this.#bans = bans;
    this.#save = save;
  }

  /** The bans that are not lifted. */
  get active(): Ban[] {
    return this.#bans.filter(({ active }) => active);
  }

  /** The active ban of a revision, by the name of its script; null when there is none. */
  of(script: string): Ban | null {
    return this.active.find(ban => ban.script === script) ?? null;
  }

  /**
   * Lifts a ban because a head asks for it. A head does so once, also if there was no ban yet: the node applies it again when it
   * starts, and by then the revision can have brought it down.
   */
  lift(script: string, sequence: number): void {
    const ban = this.#bans.find(each => each.script === script) ?? { script, detail: '', cause: 'stalled' };
    if ('liftedBy' in ban && ban.liftedBy >= sequence) return;
    const others = this.#bans.filter(each => each.script !== script);
    this.#bans = limited([...others, { ...ban, active: false, liftedBy: sequence }]);
    this.#save(this.#bans);
  }
}

/** Adds a ban to a list, or makes a lifted one active again. */
export function withBan(bans: readonly Ban[], script: string, detail: string, cause: BanCause): Ban[] {
  const liftedBy = bans.find(ban => ban.script === script)?.liftedBy ?? 0;
  const others = bans.filter(ban => ban.script !== script);
  return limited([...others, { script, detail, cause, active: true, liftedBy }]);
}

/** The newest of the bans, of which those that are lifted go first. */
function limited(bans: readonly Ban[]): Ban[] {
  const lifted = bans.filter(({ active }) => !active);
  const dropped = new Set(lifted.slice(0, Math.max(0, bans.length - MAX_BANS)));
  return bans.filter(ban => !dropped.has(ban)).slice(-MAX_BANS);
}

/** Reads the file that {@link writeBans} wrote; an empty list when it does not exist or can't be read. */
export function readBans(path: string): Ban[] {
  try {
    return decode(fileSchema, readFileSync(path)).bans;
  } catch {
    return [];
  }
}

/** Writes the file as a whole. @throws the error of the file system */
export function writeBans(path: string, bans: readonly Ban[]): void {
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, encode({ bans }));
}
