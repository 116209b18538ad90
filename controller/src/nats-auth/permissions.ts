import { auditStreamOf, streamOf, subjectsOf, type Verb } from '../../../protocol/subjects.ts';
import { inboxPrefix, nodeInbox, operatorInbox, type Role } from '../../../protocol/inboxes.ts';
import type { Operation, Operator } from '../../../protocol/operators/operator.ts';

/** The subjects that a NATS user can publish and subscribe to. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** The roles whose requests a node answers. */
const ASKING = ['controller', 'console'] as const;

/** The inboxes that NATS makes for requests from another account: the auth callout asks the roster and the controller. */
const ANOTHER_ACCOUNT = '_R_.>';

/** What the console can ask of a node. None of it changes what runs. */
const LOOKING = ['describe', 'errors', 'tail'] as const satisfies readonly Verb[];

/**
 * The permissions of one node: it publishes as itself, and reads its cookie's stream.
 *
 * @param names its name, and the name that it takes when another container has the first.
 */
export function nodePermissions(cookie: string, names: readonly [string, string]): Permissions {
  const subjects = subjectsOf(cookie);
  const [name] = names;
  const own = `${nodeInbox(name)}.>`;
  const claim = subjects.claim(name);
  const events = names.map(each => subjects.eventsOf(each));
  return {
    publish: [
      ...events,
      ...names.map(each => subjects.log(each)),
      claim,
      own,
      ...ASKING.flatMap(role => names.map(each => `${inboxPrefix(role)}.*.${each}`)),
      ...directGetOf(cookie),
      // What the server of another machine makes of these.
      subjects.streamRead,
      subjects.streamReads,
    ],
    subscribe: [...names.map(each => subjects.nodeAny(each)), subjects.allAny, subjects.bundles, claim, own],
  };
}

/**
 * The permissions of the link of another machine's server, in the account of a cookie: what the nodes of that machine need, whatever they
 * are called, and its agent. Whoever has the machine has all of them.
 */
export function linkPermissions(cookie: string, machine: string): Permissions {
  const { publish, subscribe } = nodePermissions(cookie, ['*', '*']);
  const agent = agentPermissions(cookie, machine);
  const direct = new Set(directGetOf(cookie));
  return {
    publish: [...new Set([...publish.filter(subject => !direct.has(subject)), ...agent.publish])],
    subscribe: [...new Set([...subscribe, ...agent.subscribe])],
  };
}

/** The permissions of an agent: it answers the roster, for its own machine. */
export function agentPermissions(cookie: string, machine: string): Permissions {
  return { publish: [`${inboxPrefix('roster')}.>`], subscribe: [subjectsOf(cookie).agent(machine)] };
}

/** The permissions of an operator: it speaks to the controller, under its name, about what it may do. */
export function operatorPermissions(cookie: string, { name, may }: Pick<Operator, 'name' | 'may'>): Permissions {
  const subjects = subjectsOf(cookie);
  const all: readonly Operation[] = ['read', ...may];
  return {
    publish: all.flatMap(each => [subjects.operator(name, each), subjects.operatorSession(name, each, '*')]),
    subscribe: [`${operatorInbox(name)}.>`],
  };
}

/** The permissions of a role. Everything else is forbidden. */
export function permissionsOf(role: Exclude<Role, 'node'>, cookie: string): Permissions {
  const subjects = subjectsOf(cookie);
  const stream = streamOf(cookie);
  const { anyNode, events, logs } = subjects;
  const own = `${inboxPrefix(role)}.>`;
  switch (role) {
    case 'controller':
      return {
        publish: [
          subjects.bundles,
          subjects.packageSets,
          subjects.archives,
          subjects.heads,
          subjects.headResults,
          subjects.keys,
          subjects.audit,
          subjects.nodeChanges,
          subjects.progress,
          anyNode,
          subjects.allAny,
          subjects.roster,
          subjects.operatorRecords,
          subjects.operatorChange,
          `${operatorInbox('*')}.>`,
          ANOTHER_ACCOUNT,
          '$JS.API.INFO',
          ...['CREATE', 'UPDATE', 'INFO', 'PURGE', 'MSG.GET', 'MSG.DELETE'].map(
            verb => `$JS.API.STREAM.${verb}.${stream}`,
          ),
          ...['CREATE', 'UPDATE', 'INFO'].map(verb => `$JS.API.STREAM.${verb}.${auditStreamOf(cookie)}`),
          `$JS.API.DIRECT.GET.${auditStreamOf(cookie)}`,
          ...directGetOf(cookie),
        ],
        subscribe: [
          events,
          logs,
          subjects.audit,
          subjects.nodeChanges,
          subjects.operators,
          subjects.operatorSessions,
          subjects.operatorKey,
          subjects.operatorChange,
          own,
        ],
      };
    case 'roster':
      return {
        publish: [...ASKING.map(each => `${inboxPrefix(each)}.>`), ANOTHER_ACCOUNT, subjects.agent('*')],
        subscribe: [subjects.roster, subjects.holder, own],
      };
    case 'observer':
      return {
        publish: [subjects.heads, subjects.headResults].map(last => `$JS.API.DIRECT.GET.${stream}.${last}`),
        subscribe: [events, subjects.heads, subjects.headResults, own],
      };
    case 'console': {
      const { heads, headResults, audit, progress } = subjects;
      const auditStream = auditStreamOf(cookie);
      return {
        publish: [
          subjects.roster,
          ...LOOKING.map(verb => subjects.node('*', verb)),
          subjects.all('tail'),
          `$JS.API.STREAM.INFO.${stream}`,
          `$JS.API.DIRECT.GET.${auditStream}`,
          ...directGetOf(cookie),
        ],
        subscribe: [
          events,
          logs,
          heads,
          headResults,
          audit,
          progress,
          subjects.all('digest'),
          subjects.all('keys'),
          own,
        ],
      };
    }
  }
}

function directGetOf(cookie: string): string[] {
  const read = `$JS.API.DIRECT.GET.${streamOf(cookie)}`;
  return [read, `${read}.>`];
}
