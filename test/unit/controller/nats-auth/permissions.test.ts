import { describe, expect, it } from 'vitest';

import {
  agentPermissions,
  linkPermissions,
  nodePermissions,
  operatorPermissions,
  type Permissions,
  permissionsOf,
} from '../../../../controller/src/nats-auth/permissions.ts';
import { subjectsOf, type Verb } from '../../../../protocol/subjects.ts';
import { type Role, ROLES } from '../../../../protocol/inboxes.ts';

/** Whether a subject matches one of NATS's patterns. */
function allows(patterns: readonly string[], subject: string): boolean {
  return patterns.some(pattern => {
    const tokens = pattern.split('.');
    const parts = subject.split('.');
    const open = tokens.at(-1) === '>';
    if (open ? parts.length < tokens.length : parts.length !== tokens.length) return false;
    return tokens.every((token, index) => token === '>' || token === '*' || token === parts[index]);
  });
}

const permissionsFor = (role: Role, cookie: string): Permissions =>
  role === 'node' ? nodePermissions(cookie, ['fred', 'fred-0123ab']) : permissionsOf(role, cookie);

const subjects = subjectsOf('dino');

describe('permissions', () => {
  it.for(['node', 'roster', 'observer', 'console'] as const)(
    'do not let a %s write bundles, heads or head results, or send requests to nodes',
    role => {
      const { publish } = permissionsFor(role, 'dino');
      const forbidden = [
        subjects.bundle('demo', 'f'.repeat(64)),
        subjects.head('demo'),
        subjects.headResult('demo'),
        subjects.audit,
        subjects.nodeChange('fred'),
        subjects.all('commit'),
        subjects.node('fred', 'load'),
        '$JS.API.STREAM.PURGE.HOTCAST_dino',
        '$JS.API.STREAM.DELETE.HOTCAST_dino',
        '$JS.API.STREAM.UPDATE.HOTCAST_dino',
        '$JS.API.STREAM.MSG.DELETE.HOTCAST_dino',
      ];
      expect(forbidden.filter(subject => allows(publish, subject))).toEqual([]);
    },
  );

  it('give every role an inbox to which no other role can subscribe', () => {
    for (const role of ROLES) {
      for (const other of ROLES) {
        const { subscribe } = permissionsFor(other, 'dino');
        expect(allows(subscribe, `_INBOX.${role}.fred.1`)).toBe(role === other);
      }
    }
  });

  it('let the controller see and change the configuration of both of its streams', () => {
    const { publish } = permissionsOf('controller', 'dino');
    for (const stream of ['HOTCAST_dino', 'HOTCAST-AUDIT_dino']) {
      for (const verb of ['CREATE', 'UPDATE', 'INFO']) {
        expect(allows(publish, `$JS.API.STREAM.${verb}.${stream}`)).toBe(true);
      }
    }
  });

  it('do not reach the subjects of another cookie', () => {
    for (const role of ROLES) {
      const { publish, subscribe } = permissionsFor(role, 'dino');
      const strange = [...publish, ...subscribe].filter(subject =>
        /hotcast\.(?!dino\.)|HOTCAST_(?!dino)/.test(subject),
      );
      expect(strange).toEqual([]);
      expect([...publish, ...subscribe]).not.toContain('>');
    }
  });

  it('let nobody but the controller and the console read what modules log', () => {
    for (const role of ROLES) {
      const { subscribe } = permissionsFor(role, 'dino');
      expect(allows(subscribe, subjects.log('fred'))).toBe(role === 'controller' || role === 'console');
    }
  });

  it('do not let a controller publish as a node', () => {
    const { publish } = permissionsFor('controller', 'dino');
    expect(allows(publish, subjects.event('fred', 'heartbeat'))).toBe(false);
    expect(allows(publish, subjects.claim('fred'))).toBe(false);
    expect(allows(publish, subjects.log('fred'))).toBe(false);
  });
});

describe('a node', () => {
  const { publish, subscribe } = nodePermissions('dino', ['fred', 'fred-0123ab']);

  it('can publish as itself, and not as another node', () => {
    expect(allows(publish, subjects.event('fred', 'heartbeat'))).toBe(true);
    expect(allows(publish, subjects.event('fred-0123ab', 'heartbeat'))).toBe(true);
    expect(allows(publish, subjects.event('betty', 'heartbeat'))).toBe(false);
    expect(allows(publish, subjects.log('fred'))).toBe(true);
    expect(allows(publish, subjects.log('fred-0123ab'))).toBe(true);
    expect(allows(publish, subjects.log('betty'))).toBe(false);
    expect(allows(publish, subjects.claim('betty'))).toBe(false);
  });

  it('can subscribe to its own requests and answers, and not to those of other nodes', () => {
    expect(allows(subscribe, subjects.node('fred', 'call'))).toBe(true);
    expect(allows(subscribe, subjects.node('betty', 'call'))).toBe(false);
    expect(allows(subscribe, subjects.event('betty', 'heartbeat'))).toBe(false);
    expect(allows(subscribe, '_INBOX.node.betty.abc')).toBe(false);
    expect(allows(subscribe, '_INBOX.node.fred.abc')).toBe(true);
  });
});

describe('another machine', () => {
  it('can say what nodes of any name say, and answer the roster; and write and ask for nothing', () => {
    const { publish } = linkPermissions('dino', 'b');
    for (const subject of [
      subjects.event('fred', 'heartbeat'),
      subjects.log('fred'),
      subjects.claim('fred'),
      '_INBOX.controller.abc.fred',
      '_INBOX.roster.abc.1',
      subjects.streamRead,
    ])
      expect(allows(publish, subject)).toBe(true);
    for (const subject of [
      subjects.bundle('demo', 'f'.repeat(64)),
      subjects.head('demo'),
      subjects.headResult('demo'),
      subjects.keys,
      subjects.audit,
      subjects.all('commit'),
      subjects.node('fred', 'load'),
      subjects.roster,
      subjects.holder,
      subjects.agent('c'),
      subjects.operatorKey,
      '$JS.API.STREAM.PURGE.HOTCAST_dino',
      '$JS.API.DIRECT.GET.HOTCAST-AUDIT_dino',
    ])
      expect(allows(publish, subject)).toBe(false);
  });

  it('hears what is for nodes, and the questions to its own agent', () => {
    const { subscribe } = linkPermissions('dino', 'b');
    expect(allows(subscribe, subjects.all('commit'))).toBe(true);
    expect(allows(subscribe, subjects.node('fred', 'call'))).toBe(true);
    expect(allows(subscribe, subjects.agent('b'))).toBe(true);
    for (const subject of [
      subjects.agent('c'),
      subjects.roster,
      subjects.event('fred', 'heartbeat'),
      subjects.log('fred'),
      '_INBOX.controller.abc.fred',
      '_INBOX.roster.abc.1',
      subjects.operator('ci', 'push'),
    ])
      expect(allows(subscribe, subject)).toBe(false);
  });

  it('has an agent that can answer the roster and nothing else', () => {
    expect(agentPermissions('dino', 'b')).toEqual({
      publish: ['_INBOX.roster.>'],
      subscribe: ['hotcast.dino.agent.b'],
    });
  });
});

describe('the console', () => {
  const { publish, subscribe } = permissionsOf('console', 'dino');

  it('can ask nodes for what they are, for errors and for logs, and for nothing else', () => {
    const verbs =
      'ping describe load dry-run heads commit call purge digest tail errors exports evaluate session'.split(' ');
    const asked = verbs.filter(verb => allows(publish, subjects.node('fred', verb as Verb)));
    expect(asked).toEqual(['describe', 'tail', 'errors']);
    expect(verbs.filter(verb => allows(publish, subjects.all(verb as Verb)))).toEqual(['tail']);
  });

  it('can read the stream and the audit', () => {
    expect(allows(publish, '$JS.API.DIRECT.GET.HOTCAST_dino')).toBe(true);
    expect(allows(publish, '$JS.API.DIRECT.GET.HOTCAST-AUDIT_dino')).toBe(true);
    for (const subject of [
      subjects.head('demo'),
      subjects.audit,
      subjects.progress,
      subjects.event('fred', 'heartbeat'),
    ])
      expect(allows(subscribe, subject)).toBe(true);
  });

  it('gets answers of nodes in an inbox of its own', () => {
    const node = nodePermissions('dino', ['fred', 'fred-0123ab']);
    expect(allows(node.publish, '_INBOX.console.abc.fred')).toBe(true);
    expect(allows(node.publish, '_INBOX.console.abc.betty')).toBe(false);
  });
});

describe('operators', () => {
  it('can speak of what they may do, under their own names, and of nothing else', () => {
    const { publish, subscribe } = operatorPermissions('dino', { name: 'ci', may: ['push'] });
    for (const operation of ['read', 'push'] as const) {
      expect(allows(publish, subjects.operator('ci', operation))).toBe(true);
      expect(allows(publish, subjects.operatorSession('ci', operation, 'x'))).toBe(true);
    }
    const forbidden = [
      subjects.operator('ci', 'rollback'),
      subjects.operatorSession('ci', 'rollback', 'x'),
      subjects.operator('betty', 'push'),
      subjects.operatorRecord('ci'),
      subjects.operatorChange,
      subjects.operatorKey,
      subjects.bundle('demo', 'f'.repeat(64)),
      subjects.head('demo'),
      subjects.node('fred', 'call'),
      '_INBOX.operator.ci.x',
      '$JS.API.INFO',
    ];
    expect(forbidden.filter(subject => allows(publish, subject))).toEqual([]);
    expect(subscribe).toEqual(['_INBOX.operator.ci.>']);
  });

  it('are the only ones who can, also without the controller', () => {
    for (const role of ROLES) {
      const { publish } = permissionsFor(role, 'dino');
      expect(allows(publish, subjects.operator('ci', 'push'))).toBe(false);
      expect(allows(publish, subjects.operatorSession('ci', 'push', 'x'))).toBe(false);
    }
  });
});
