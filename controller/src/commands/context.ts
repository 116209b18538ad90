import type { Command, CommandOf } from '../api/command.ts';
import type { OperatorSessions } from '../api/operator-session.ts';
import type { Client } from '../api/report.ts';
import type { Result, ResultOf } from '../api/results.ts';
import type { Build } from '../build/build.ts';
import type { Unreadable } from '../build/module-entry.ts';
import type { UsedPackages } from '../build/packages/imported-packages.ts';
import type { BuildRemotely } from '../build/remote/remote-build.ts';
import type { SourceFiles } from '../build/sources/source-files.ts';
import type { OnSave } from '../build/sources/watch-folder.ts';
import type { PortState } from '../fleet/open-ports.ts';
import type { Membership } from '../fleet/membership.ts';
import type { CanaryMonitor } from '../rollout/canary-monitor.ts';
import type { Audit } from '../store/audit.ts';
import type { HotcastConfig } from '../build/language/hotcast-config.ts';
import type { Keyring } from '../store/keyring.ts';
import type { RolloutContext } from '../rollout/context.ts';

/** How events reach the webhook. */
export interface Delivery {
  /** The host of its URL. */
  readonly where: string;
  /** The last event that was sent, or left out; null: not known yet. */
  readonly position: number | null;
  /** Why the next event is not taken, and since when (milliseconds since 1970); null: it is, or there is none. */
  readonly failure: { readonly why: string; readonly since: number } | null;
  /** How many events were left out since the controller has started: rejected, or dropped by the audit before they were sent. */
  readonly leftOut: number;
}

/** What the commands need, each a part of it. */
export interface CommandContext extends RolloutContext {
  readonly membership: Pick<Membership, 'expected' | 'present' | 'noteSilent' | 'isDebugged' | 'foreign'>;
  readonly monitor: Pick<CanaryMonitor, 'watch'>;
  readonly audit: Pick<Audit, 'read' | 'write' | 'bounds' | 'after' | 'onWrite'>;
  readonly cookie: string;
  readonly operatorSessions: OperatorSessions;
  /** The certificate authority of NATS, PEM; null without TLS. */
  readonly natsAuthority: () => string | null;
  /** The ports by which people reach the cluster. */
  readonly openPorts: () => Promise<readonly PortState[]>;
  /** Null: there is no webhook. */
  readonly webhook: (() => Delivery) | null;
  readonly signingKey: Pick<Keyring, 'madeAt'>;
  /** Builds the bundles of modules from their sources as they are now. */
  readonly build: Build;
  /** Builds the bundles of modules where an operator has their sources. */
  readonly buildRemotely: BuildRemotely;
  /** Gets ready for the next build, so that it does not wait for a process. */
  readonly warm: () => void;
  /** Packs packages of the modules folder, by what code requires: `hono/cors`. @throws UsageError */
  readonly packNamed: (specifiers: readonly string[]) => Promise<UsedPackages | null>;
  readonly sources: Pick<SourceFiles, 'changedAmong'>;
  /** Watches the modules folder for saves. */
  readonly watch: (onSave: OnSave) => Promise<AsyncDisposable>;
  /** The groups in hotcast.config.ts and their modules, the first one first; empty when there are none. @throws UsageError */
  readonly groups: () => Promise<HotcastConfig['groups']>;
  /** The names of the modules that have sources now. */
  readonly availableModules: () => readonly string[];
  /** The modules whose source can't be read. */
  readonly unreadableModules: () => ReadonlyMap<string, Unreadable>;
}

/**
 * Carries out the commands of one type, for a client: see {@link Client}. What has written heads finishes them also when the
 * client has gone.
 */
export type Handler<T extends Command['type'], R extends Result = ResultOf<Extract<T, Result['command']>>> = (
  context: CommandContext,
  command: CommandOf<T>,
  report: Client['report'],
  signal: Client['signal'],
  holds: Client['holds'],
) => Promise<R>;
