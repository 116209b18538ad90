import * as v from 'valibot';

import { decode, encode } from '../../../../protocol/codec.ts';
import { DecodeError } from '../../../../protocol/errors.ts';
import { joinFrames, splitFrames } from '../../../../protocol/bytes/framing.ts';
import { filePath } from '../../../../protocol/packages.ts';
import { groupName, groupsSchema } from '../../../../protocol/placement/groups.ts';
import { moduleName, revision } from '../../../../protocol/schemas.ts';

/** What an operator says of the sources. */
const surveySchema = v.object({
  /** As the context of a command has them. */
  available: v.array(moduleName),
  unreadable: v.array(v.tuple([v.string(), v.object({ problem: v.string(), remedy: v.string() })])),
  groups: v.array(v.tuple([groupName, v.array(moduleName)])),
  /** The first digits of the hashes of the files that were asked for; a file that is not there has none. */
  hashes: v.record(v.string(), v.string()),
});

export type Survey = v.InferOutput<typeof surveySchema>;

export const encodeSurvey = (survey: Survey): Uint8Array => encode(survey);

/** @throws DecodeError */
export const decodeSurvey = (bytes: Uint8Array): Survey => decode(surveySchema, bytes);

const packagesSchema = v.object({
  /** The hash of the package set. */
  hash: revision,
  /** `path`: of the file in its package. */
  imports: v.array(v.object({ specifier: v.string(), path: filePath, instance: revision })),
  leftOut: v.array(v.object({ root: v.string(), label: v.string(), remedy: v.string() })),
});

const builtSchema = v.array(
  v.object({
    sources: v.record(v.string(), v.string()),
    groups: v.nullable(groupsSchema),
    packages: v.nullable(packagesSchema),
  }),
);

/** A module that an operator has built. The preflight is still to come. */
export interface SentModule extends v.InferOutput<typeof builtSchema.item> {
  /** The bundle, see `encodeBundle`. */
  readonly packed: Uint8Array;
  /** The encoded package set; null when it uses none. */
  readonly set: Uint8Array | null;
}

export function encodeBuilt(modules: readonly SentModule[]): Uint8Array {
  const about = modules.map(({ sources, groups, packages }) => ({ sources, groups, packages }));
  return joinFrames([
    encode(about),
    ...modules.flatMap(({ packed, set }) => (set === null ? [packed] : [packed, set])),
  ]);
}

/** @throws DecodeError */
export function decodeBuilt(bytes: Uint8Array): SentModule[] {
  const [about = new Uint8Array(), ...frames] = splitFrames(bytes);
  const left = frames.values();
  const take = (): Uint8Array => {
    const { value, done } = left.next();
    if (done === true) throw new DecodeError('a bundle is missing');
    return value;
  };
  return decode(builtSchema, about).map(each => ({
    ...each,
    packed: take(),
    set: each.packages === null ? null : take(),
  }));
}
