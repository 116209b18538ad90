import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { lastToken, streamOf, subjectsOf, type Subjects } from '../../../protocol/subjects.ts';
import { cookies, moduleNames, nodeNames, revisions } from '../fixtures.ts';

const inputs = fc.record({ module: moduleNames, revision: revisions, node: nodeNames });

/** One subject of each kind. */
function oneOfEach(
  subjects: Subjects,
  { module, revision, node }: { module: string; revision: string; node: string },
): Record<string, string> {
  return {
    bundle: subjects.bundle(module, revision),
    head: subjects.head(module),
    headResult: subjects.headResult(module),
    node: subjects.node(node, 'call'),
    all: subjects.all('call'),
    claim: subjects.claim(node),
    event: subjects.event(node, 'heartbeat'),
    roster: subjects.roster,
    holder: subjects.holder,
  };
}

/** Whether NATS would deliver `subject` to a subscription of `pattern`. */
function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  return wanted.length === tokens.length && wanted.every((token, index) => token === '*' || token === tokens[index]);
}

describe('subjectsOf', () => {
  it('has the documented subjects', () => {
    const subjects = subjectsOf('dino');
    expect(oneOfEach(subjects, { module: 'demo', revision: 'f00', node: 'fred' })).toEqual({
      bundle: 'hotcast.dino.bundle.demo.f00',
      head: 'hotcast.dino.head.demo',
      headResult: 'hotcast.dino.head-result.demo',
      node: 'hotcast.dino.node.fred.call',
      all: 'hotcast.dino.all.call',
      claim: 'hotcast.dino.claim.fred',
      event: 'hotcast.dino.event.fred.heartbeat',
      roster: 'hotcast.dino.roster',
      holder: 'hotcast.dino.holder',
    });
  });

  it('delivers a subject to the subscription of its kind and to no other', () => {
    fc.assert(
      fc.property(cookies, inputs, (cookie, names) => {
        const subjects = subjectsOf(cookie);
        const subscriptions: Record<string, string> = {
          bundle: subjects.bundles,
          head: subjects.heads,
          headResult: subjects.headResults,
          node: subjects.nodeAny(names.node),
          all: subjects.allAny,
          claim: subjects.claim(names.node),
          event: subjects.events,
          roster: subjects.roster,
          holder: subjects.holder,
        };
        const delivered = Object.entries(oneOfEach(subjects, names)).map(([kind, subject]) => [
          kind,
          Object.keys(subscriptions).filter(name => matches(subscriptions[name] ?? '', subject)),
        ]);
        expect(delivered).toEqual(Object.keys(subscriptions).map(kind => [kind, [kind]]));
      }),
    );
  });

  it('makes no wildcard and no additional token of a valid name', () => {
    const shapes = oneOfEach(subjectsOf('x'), { module: 'x', revision: 'x', node: 'x' });
    fc.assert(
      fc.property(cookies, inputs, (cookie, names) => {
        for (const [kind, subject] of Object.entries(oneOfEach(subjectsOf(cookie), names))) {
          expect(subject).toMatch(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/);
          expect(subject.split('.').length).toBe(shapes[kind]?.split('.').length);
        }
      }),
    );
  });

  it("keeps every subscription of one cookie from another's subjects", () => {
    fc.assert(
      fc.property(cookies, cookies, inputs, (cookie, other, names) => {
        fc.pre(cookie !== other);
        const { bundles, heads, headResults, allAny, events, nodeAny } = subjectsOf(cookie);
        const heard = Object.values(oneOfEach(subjectsOf(other), names)).filter(subject =>
          [bundles, heads, headResults, allAny, events, nodeAny(names.node)].some(pattern => matches(pattern, subject)),
        );
        expect(heard).toEqual([]);
        expect(streamOf(cookie)).not.toBe(streamOf(other));
      }),
    );
  });
});

describe('lastToken', () => {
  it('returns the verb of a request, for every node name', () => {
    const subjects = subjectsOf('dino');
    expect([subjects.node('fred', 'ping'), subjects.all('digest'), 'alone'].map(lastToken)).toEqual([
      'ping',
      'digest',
      'alone',
    ]);
  });
});
