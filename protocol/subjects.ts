/** What a node can be asked; the last token of the subject. */
export type Verb = 'ping' | 'describe' | 'load' | 'rehearse' | 'commit' | 'call' | 'purge' | 'digest';

/** What a node tells without being asked. */
export type EventKind = 'presence' | 'goodbye' | 'stalled' | 'untrusted';

/** Every subject of one cookie's cluster. A cookie must have passed {@link isCookie}. */
export interface Subjects {
  readonly bundle: (module: string, revision: string) => string;
  readonly bundles: string;
  readonly head: (module: string) => string;
  readonly heads: string;
  readonly outcome: (module: string) => string;
  readonly outcomes: string;
  readonly node: (name: string, verb: Verb) => string;
  readonly nodeAny: (name: string) => string;
  readonly anyNode: string;
  readonly all: (verb: Verb) => string;
  readonly allAny: string;
  readonly claim: (name: string) => string;
  readonly event: (node: string, kind: EventKind) => string;
  readonly eventsOf: (node: string) => string;
  readonly events: string;
  readonly roster: string;
}

/** Names the subjects under a cookie. Everything that Hotcast publishes or reads is on one of these. */
export function subjectsOf(cookie: string): Subjects {
  const root = `hotcast.${cookie}`;
  return {
    // hotcast.<cookie>.bundle.<module>.<revision>: the code, written once
    bundle: (module, revision) => `${root}.bundle.${module}.${revision}`,
    bundles: `${root}.bundle.*.*`,
    // hotcast.<cookie>.head.<module>: which revision should run
    head: module => `${root}.head.${module}`,
    heads: `${root}.head.*`,
    // hotcast.<cookie>.outcome.<module>: what came of its head
    outcome: module => `${root}.outcome.${module}`,
    outcomes: `${root}.outcome.*`,
    // hotcast.<cookie>.node.<name>.<verb>: a request to one node
    node: (name, verb) => `${root}.node.${name}.${verb}`,
    nodeAny: name => `${root}.node.${name}.*`,
    anyNode: `${root}.node.*.*`,
    // hotcast.<cookie>.all.<verb>: a request to every node
    all: verb => `${root}.all.${verb}`,
    allAny: `${root}.all.*`,
    // hotcast.<cookie>.claim.<name>: a node that starts asks whether its name is taken
    claim: name => `${root}.claim.${name}`,
    // hotcast.<cookie>.event.<node>.<kind>: what a node tells unasked
    event: (node, kind) => `${root}.event.${node}.${kind}`,
    eventsOf: node => `${root}.event.${node}.*`,
    events: `${root}.event.*.*`,
    // hotcast.<cookie>.roster: asks which containers should be answering
    roster: `${root}.roster`,
  };
}

/** The stream that holds a cookie's bundles, heads and outcomes. */
export function streamOf(cookie: string): string {
  return `HOTCAST_${cookie}`;
}

/** The last token of a subject: its verb or event kind. */
export function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/**
 * Where an acknowledgement goes when the message itself was written to the stream: there, NATS's own reply
 * subject is the publisher's PubAck inbox.
 */
export const ANSWER_TO = 'Hotcast-Answer-To';

/** Present on a bundle that is to be prepared although calls are still running on the old version. */
export const FORCE = 'Hotcast-Force';
