import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { count } from '../../../protocol/schemas.ts';

/** So many are remembered. */
const KEPT = 100;

const banSchema = v.object({
  /** How the revision is called in stacks: `demo@3f2a9c81b0d4`. */
  script: v.string(),
  /** One line for people: what it did, when and where. */
  detail: v.string(),
  /** Whether it is refused now. */
  active: v.boolean(),
  /** The sequence of the head by which the ban was lifted last, 0 for none: the same head does not lift it twice. */
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

  /** All that are not lifted. */
  get active(): Ban[] {
    return this.#bans.filter(({ active }) => active);
  }

  /** The ban of a revision by its script's name; null when there is none. */
  of(script: string): Ban | null {
    return this.active.find(ban => ban.script === script) ?? null;
  }

  /** Lifts a ban, if one is there, because a head asks for that. One that was there when it was banned again does not. */
  lift(script: string, sequence: number): void {
    const ban = this.of(script);
    if (ban === null || ban.liftedBy >= sequence) return;
    this.#bans = this.#bans.map(each => (each === ban ? { ...ban, active: false, liftedBy: sequence } : each));
    this.#save(this.#bans);
  }
}

/** Bans with one more, or with one that was lifted in force again. */
export function withBan(bans: readonly Ban[], script: string, detail: string): Ban[] {
  const liftedBy = bans.find(ban => ban.script === script)?.liftedBy ?? 0;
  const others = bans.filter(ban => ban.script !== script);
  return [...others, { script, detail, active: true, liftedBy }].slice(-KEPT);
}

/** Reads what {@link writeBans} wrote; nothing when there is no such file, or nothing that can be read. */
export function readBans(path: string): Ban[] {
  try {
    return decode(fileSchema, readFileSync(path)).bans;
  } catch {
    return [];
  }
}

/** Writes the file, whole or not at all. @throws what the file system says. */
export function writeBans(path: string, bans: readonly Ban[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, encode({ bans }));
  renameSync(`${path}.new`, path);
}
