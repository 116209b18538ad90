import type { Operation } from './operators/operator.ts';

/** The requests to nodes: the last token of the subject. */
export type Verb =
  | 'ping'
  | 'describe'
  | 'load'
  | 'dry-run'
  | 'heads'
  | 'commit'
  | 'call'
  | 'purge'
  | 'digest'
  | 'keys'
  | 'tail'
  | 'errors'
  | ShellVerb;

/** The requests of a shell. */
export type ShellVerb = 'exports' | 'evaluate' | 'session';

/** The events that a node publishes. */
export type EventKind = 'heartbeat' | 'goodbye' | 'stalled' | 'rejected';

/**
 * The subjects of one cookie's cluster. Everything that Hotcast publishes or reads is on one of these.
 *
 * @param cookie has passed {@link isCookie}.
 */
export function subjectsOf(cookie: string) {
  const root = `hotcast.${cookie}`;
  return {
    // hotcast.<cookie>.bundle.<module>.<revision>: the code, written once
    bundle: (module: string, revision: string) => `${root}.bundle.${module}.${revision}`,
    bundles: `${root}.bundle.*.*`,
    // hotcast.<cookie>.packages.<hash>: the packages of a revision, written once
    packageSet: (hash: string) => `${root}.packages.${hash}`,
    packageSets: `${root}.packages.*`,
    // hotcast.<cookie>.archive.<hash>.<chunk>: the files of a package, written once
    archiveChunk: (hash: string, chunk: number) => `${root}.archive.${hash}.${chunk}`,
    archiveChunks: (hash: string) => `${root}.archive.${hash}.*`,
    archives: `${root}.archive.*.*`,
    // hotcast.<cookie>.head.<module>: which revision should run
    head: (module: string) => `${root}.head.${module}`,
    heads: `${root}.head.*`,
    // hotcast.<cookie>.keys: the keys that sign, signed by the root key
    keys: `${root}.keys`,
    // hotcast.<cookie>.head-result.<module>: the result of a head
    headResult: (module: string) => `${root}.head-result.${module}`,
    headResults: `${root}.head-result.*`,
    // hotcast.<cookie>.audit: what was done to the cluster
    audit: `${root}.audit`,
    // hotcast.<cookie>.audit.<node>: when a node came and went
    nodeChange: (node: string) => `${root}.audit.${node}`,
    nodeChanges: `${root}.audit.*`,
    // hotcast.<cookie>.progress: how far a command of the controller has come
    progress: `${root}.progress`,
    // hotcast.<cookie>.node.<name>.<verb>: a request to one node
    node: (name: string, verb: Verb) => `${root}.node.${name}.${verb}`,
    nodeAny: (name: string) => `${root}.node.${name}.*`,
    anyNode: `${root}.node.*.*`,
    // hotcast.<cookie>.all.<verb>: a request to every node
    all: (verb: Verb) => `${root}.all.${verb}`,
    allAny: `${root}.all.*`,
    // hotcast.<cookie>.claim.<name>: a starting node asks whether another container has its name
    claim: (name: string) => `${root}.claim.${name}`,
    // hotcast.<cookie>.event.<node>.<kind>: an event of a node
    event: (node: string, kind: EventKind) => `${root}.event.${node}.${kind}`,
    eventsOf: (node: string) => `${root}.event.${node}.*`,
    events: `${root}.event.*.*`,
    // hotcast.<cookie>.log.<node>: what the modules of a node log, while a tail asks for it
    log: (node: string) => `${root}.log.${node}`,
    logs: `${root}.log.*`,
    // hotcast.<cookie>.roster: asks which containers should answer
    roster: `${root}.roster`,
    // hotcast.<cookie>.holder: asks which node has an address
    holder: `${root}.holder`,
    // hotcast.<cookie>.agent.<machine>: asks for the containers of another machine
    agent: (machine: string) => `${root}.agent.${machine}`,
    // hotcast.<cookie>.stream-read: a read of the stream by a node of another machine, as NATS lets it through between servers
    streamRead: `${root}.stream-read`,
    streamReads: `${root}.stream-read.>`,
    // hotcast.<cookie>.operator-record.<name>: who may do what from afar
    operatorRecord: (name: string) => `${root}.operator-record.${name}`,
    operatorRecords: `${root}.operator-record.*`,
    // hotcast.<cookie>.operator.<name>.<operation>: an operator opens a session
    operator: (name: string, operation: Operation) => `${root}.operator.${name}.${operation}`,
    operators: `${root}.operator.*.*`,
    // hotcast.<cookie>.operator.<name>.<operation>.<session>: what an operator says in it
    operatorSession: (name: string, operation: Operation, session: string) =>
      `${root}.operator.${name}.${operation}.${session}`,
    operatorSessions: `${root}.operator.*.*.*`,
    // hotcast.<cookie>.operator-key: asks whether a key is that of an operator
    operatorKey: `${root}.operator-key`,
    // hotcast.<cookie>.operator-change: an operator may be gone
    operatorChange: `${root}.operator-change`,
  };
}

export type Subjects = ReturnType<typeof subjectsOf>;

/** The stream that holds the bundles, packages, heads and head results of a cookie. */
export function streamOf(cookie: string): string {
  return `HOTCAST_${cookie}`;
}

/** The stream that holds the audit of a cookie. */
export function auditStreamOf(cookie: string): string {
  return `HOTCAST-AUDIT_${cookie}`;
}

/** The last token of a subject: its verb, its event kind, or the node that answered. */
export function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/**
 * The header with the inbox for answers to a message that is also written to the stream. NATS's own reply subject of such a
 * message is the publisher's PubAck inbox.
 */
export const ANSWER_TO = 'Hotcast-Answer-To';

/** The header of a bundle that nodes prepare even if calls run on the old version. */
export const FORCE = 'Hotcast-Force';

/** The header of a bundle for the nodes of some services only: their names, separated by commas. Nobody else prepares it. */
export const SERVICES = 'Hotcast-Services';

/** The header of a bundle with the highest known sequence of the module's heads. The head of the push follows it. */
export const AFTER = 'Hotcast-After';

/** The header of a bundle with the signature of a push: see `signing/push-signature.ts`. A bundle that is verified by its own lacks it. */
export const PUSH_SIGNATURE = 'Hotcast-Push-Signature';
