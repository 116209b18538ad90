import { describe, expect, it } from 'vitest';

import { inScope, shareScope } from '../../../../protocol/canary-scope.ts';
import { decodeRecord, encodeRecord } from '../../../../protocol/codec.ts';
import { concerns, desiredRevision, headSchema, isOnHead } from '../../../../protocol/head.ts';
import { areSameGroups, type Groups, groupsText, isInGroups, isWithin } from '../../../../protocol/placement/groups.ts';
import { headOf, moduleStateOf } from '../../fixtures.ts';

const WEB: Groups = { names: ['web'], first: true };
const WORKER: Groups = { names: ['worker'], first: false };
const BOTH: Groups = { names: ['worker', 'web'], first: true };

describe('groups', () => {
  it.each([
    ['fred', WEB, true],
    ['node-31', WEB, true],
    ['fred-3f2a9c', WEB, true],
    ['web-2', WEB, true],
    ['worker-1', WEB, false],
    ['worker-1', WORKER, true],
    ['worker-1-3f2a9c', WORKER, true],
    ['fred', WORKER, false],
    ['node-3f2a9cx', BOTH, false],
    ['node-3f2a9cx', null, true],
  ] as const)('%s of %j: %s', (node, groups, expected) => {
    expect(isInGroups(groups, node)).toBe(expected);
  });

  it('are the same if their nodes are', () => {
    expect(areSameGroups(BOTH, { names: ['web', 'worker'], first: true })).toBe(true);
    expect(areSameGroups(null, null)).toBe(true);
    for (const [one, other] of [
      [WEB, WORKER],
      [WEB, BOTH],
      [null, WEB],
      [{ ...WEB, first: false }, WEB],
    ] as const)
      expect([areSameGroups(one, other), areSameGroups(other, one)]).toEqual([false, false]);
  });

  it('are within others if all of their nodes are', () => {
    expect([isWithin(WEB, BOTH), isWithin(WEB, null), isWithin(null, null)]).toEqual([true, true, true]);
    expect([isWithin(BOTH, WEB), isWithin(null, BOTH)]).toEqual([false, false]);
  });

  it('are read by people', () => {
    expect([groupsText(BOTH), groupsText(null)]).toEqual(['worker and web', 'every group']);
  });
});

describe('a head with groups', () => {
  const revision = 'a'.repeat(64);
  const head = { ...headOf('demo', revision, 2), groups: WORKER };

  it('asks the nodes of its groups only', () => {
    expect(desiredRevision(head, 'worker-1')).toBe(revision);
    expect(desiredRevision(head, 'fred')).toBeNull();
    expect(isOnHead(head, 'fred', undefined)).toBe(true);
    expect(isOnHead(head, 'fred', moduleStateOf(revision, 1))).toBe(false);
  });

  it('concerns who leaves, too', () => {
    expect([concerns(head, 'worker-1'), concerns(head, 'fred')]).toEqual([true, false]);
    expect(concerns({ ...head, movedFrom: WEB }, 'fred')).toBe(true);
    expect(concerns({ ...head, movedFrom: null }, 'api-1')).toBe(true);
  });

  it('is stored and read, and an earlier one has every node', () => {
    const moved = { ...head, movedFrom: null };
    expect(decodeRecord(headSchema, encodeRecord(moved))).toMatchObject({ groups: WORKER, movedFrom: null });
    expect(decodeRecord(headSchema, encodeRecord(headOf('demo', revision, 1)))).not.toHaveProperty('groups');
    expect(desiredRevision(headOf('demo', revision, 1), 'worker-1')).toBe(revision);
  });

  it('has a canary on a share of a group, and on no node of another one', () => {
    const scope = shareScope(1, ['fred', 'betty'], WEB);
    expect(['fred', 'betty', 'wilma', 'worker-1'].map(node => inScope(scope, node))).toEqual([true, true, true, false]);
  });
});
