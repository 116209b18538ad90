import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

import type { Head } from '../../../../../protocol/head.ts';
import type { AuditEntry } from '../../../../../protocol/history/audit-entry.ts';
import type { Progress } from '../../../../../protocol/history/progress.ts';
import type { Fact } from '../model/fact.ts';

/** Seconds: a warm push to a few nodes takes some 20 ms, one with large packages minutes. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** So many records are remembered: after a cut, they are read again. */
const MAX_REMEMBERED = 5_000;

/** Counts what changes the fleet: commands, rollbacks and refusals, and how long they take. */
export function changeMetrics(registry: Registry) {
  const registers = [registry];
  const changes = new Counter({
    name: 'hotcast_changes_total',
    help: 'Commands that have ended, by command (push, rollback, remove, ...) and outcome.',
    labelNames: ['command', 'outcome'],
    registers,
  });
  const rollbacks = new Counter({
    name: 'hotcast_rollbacks_total',
    help: 'Rollbacks, by cause (operator, refused, canary, watchdog). Modules that go back together count once.',
    labelNames: ['cause'],
    registers,
  });
  const refusals = new Counter({
    name: 'hotcast_refusals_total',
    help: 'Refusals of nodes that stopped a command, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const durations = new Histogram({
    name: 'hotcast_change_duration_seconds',
    help: 'The time that commands take in the controller.',
    labelNames: ['command'],
    buckets: BUCKETS,
    registers,
  });
  const phases = new Histogram({
    name: 'hotcast_change_phase_duration_seconds',
    help: 'The time that the phases of commands take: compile, prepare, write, commit. skew is from the first node that switched to the last one.',
    labelNames: ['command', 'phase'],
    buckets: BUCKETS,
    registers,
  });
  const lastBackup = new Gauge({
    name: 'hotcast_last_backup_timestamp_seconds',
    help: 'When the last backup was made. Absent when there was none in the last seven days.',
    registers,
  });
  // Without a label it would be 0 until it is set.
  lastBackup.remove();

  const seen = new Set<string>();
  /** What was done before the console has started is seen, and not counted. */
  let isCounting = false;
  const isToCount = (key: string): boolean => {
    if (seen.has(key)) return false;
    seen.add(key);
    const [oldest] = seen;
    if (seen.size > MAX_REMEMBERED && oldest !== undefined) seen.delete(oldest);
    return isCounting;
  };

  let backupAt = 0;
  const audited = (entries: readonly AuditEntry[]): void => {
    for (const { change, command, outcome, at } of entries) {
      if (command === 'backup' && at > backupAt) {
        backupAt = at;
        lastBackup.set(at / 1_000);
      }
      if (isToCount(`${change ?? ''}/${command}/${at}`)) changes.inc({ command, outcome });
    }
  };
  const written = (heads: readonly Head[]): void => {
    for (const { push, cause } of heads) if (cause !== null && isToCount(`head/${push}`)) rollbacks.inc({ cause });
  };
  /** The command that runs, and the id of its change: its last message has only that. */
  let running = { change: '', command: '' };
  const progressed = (progress: Progress): void => {
    if (progress.step === 'started') running = progress;
    if (progress.step !== 'ended' || progress.change !== running.change) return;
    const { command } = running;
    durations.observe({ command }, progress.ms / 1_000);
    for (const [phase, ms] of Object.entries(progress.times)) phases.observe({ command, phase }, ms / 1_000);
    for (const [reason, count] of Object.entries(progress.refusals)) refusals.inc({ reason }, count);
  };

  return {
    /** Counts from now on. */
    begin: (): void => {
      isCounting = true;
    },
    heard: (fact: Fact): void => {
      if (fact.type === 'audit') audited(fact.entries);
      if (fact.type === 'heads') written(fact.heads);
      if (fact.type === 'progress') progressed(fact.progress);
    },
  };
}
