import * as v from 'valibot';

import { count } from '../schemas.ts';
import { type AuditEntry, auditEntrySchema } from './audit-entry.ts';
import { type NodeChange, nodeChangeSchema } from './node-change.ts';

/** Why the controller goes back by itself, as the audit has it: `rollback (canary)`. */
const CAUSES = ['canary', 'watchdog'] as const;

/** Something that has happened to the cluster. `position`: where it is in the audit, counted from 1. */
export const eventSchema = v.variant('kind', [
  v.object({
    kind: v.literal('change'),
    position: count,
    ...auditEntrySchema.entries,
    /** Of a rollback: an operator, a canary that failed, or nodes that the revision brought down. */
    cause: v.exactOptional(v.picklist(['operator', ...CAUSES])),
  }),
  v.object({ kind: v.literal('node'), position: count, ...nodeChangeSchema.entries }),
]);

export type Event = Readonly<v.InferOutput<typeof eventSchema>>;

/** An entry of the audit as an event. */
export function changeEvent(position: number, entry: AuditEntry): Event {
  const [, automatic] = /^rollback \((\w+)\)$/.exec(entry.command) ?? [];
  const cause = CAUSES.find(each => each === automatic) ?? (entry.command === 'rollback' ? 'operator' : undefined);
  if (cause === undefined) return { kind: 'change', position, ...entry };
  return { kind: 'change', position, ...entry, command: 'rollback', cause };
}

export function nodeEvent(position: number, change: NodeChange): Event {
  return { kind: 'node', position, ...change };
}
