/** The requests to nodes: the last token of the subject. */
export type Verb = 'ping' | 'describe' | 'load' | 'dry-run' | 'commit' | 'call' | 'purge' | 'digest';

/** The events that a node publishes. */
export type EventKind = 'heartbeat' | 'goodbye' | 'stalled' | 'rejected';

/** Every subject of one cookie's cluster. A cookie must have passed {@link isCookie}. */
export interface Subjects {
  readonly bundle: (module: string, revision: string) => string;
  readonly bundles: string;
  readonly head: (module: string) => string;
  readonly heads: string;
  readonly headResult: (module: string) => string;
  readonly headResults: string;
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

/** The subjects of a cookie. Everything that Hotcast publishes or reads is on one of these. */
export function subjectsOf(cookie: string): Subjects {
  const root = `hotcast.${cookie}`;
  return {
    // hotcast.<cookie>.bundle.<module>.<revision>: the code, written once
    bundle: (module, revision) => `${root}.bundle.${module}.${revision}`,
    bundles: `${root}.bundle.*.*`,
    // hotcast.<cookie>.head.<module>: which revision should run
    head: module => `${root}.head.${module}`,
    heads: `${root}.head.*`,
    // hotcast.<cookie>.head-result.<module>: the result of a head
    headResult: module => `${root}.head-result.${module}`,
    headResults: `${root}.head-result.*`,
    // hotcast.<cookie>.node.<name>.<verb>: a request to one node
    node: (name, verb) => `${root}.node.${name}.${verb}`,
    nodeAny: name => `${root}.node.${name}.*`,
    anyNode: `${root}.node.*.*`,
    // hotcast.<cookie>.all.<verb>: a request to every node
    all: verb => `${root}.all.${verb}`,
    allAny: `${root}.all.*`,
    // hotcast.<cookie>.claim.<name>: a starting node asks whether another container has its name
    claim: name => `${root}.claim.${name}`,
    // hotcast.<cookie>.event.<node>.<kind>: an event of a node
    event: (node, kind) => `${root}.event.${node}.${kind}`,
    eventsOf: node => `${root}.event.${node}.*`,
    events: `${root}.event.*.*`,
    // hotcast.<cookie>.roster: asks which containers should answer
    roster: `${root}.roster`,
  };
}

/** The stream that holds the bundles, heads and head results of a cookie. */
export function streamOf(cookie: string): string {
  return `HOTCAST_${cookie}`;
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
