import { SourceMap } from 'node:module';
import { setImmediate } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { packMap } from '../../../../protocol/bundle.ts';
import { relay } from '../../../../setup/debug/relay.ts';
import { programMapUrl } from '../../../../setup/debug/source-maps.ts';

const MODULE = 'demo@3f2a9c0b1d4e';

/** The first line comes from the second line of the source. */
const MAP = { version: 3, sources: ['../a.ts'], sourcesContent: ['\nx'], names: [], mappings: 'AACA' };
const PACKED = Buffer.from(packMap(JSON.stringify(MAP))).toString('base64');

const scriptParsed = (url: string): string =>
  JSON.stringify({ method: 'Debugger.scriptParsed', params: { scriptId: '1', url, sourceMapURL: '' } });

const answer = (id: number, value: unknown): string => JSON.stringify({ id, result: { result: { value } } });

function relayed() {
  const sent: string[] = [];
  const asked: { readonly id: number; readonly params: { readonly expression: string } }[] = [];
  const programMaps = new Map([['file:///app/node.mjs', programMapUrl(JSON.stringify(MAP), '/r')]]);
  const toInspector = (message: string): void => void asked.push(JSON.parse(message) as (typeof asked)[number]);
  const receive = relay({ toDebugger: message => sent.push(message), toInspector }, { modulesDir: '/m', programMaps });
  return { sent, asked, receive };
}

describe('relay', () => {
  it('asks the node for the map of a script, and keeps the order of the messages meanwhile', async () => {
    const { sent, asked, receive } = relayed();
    receive(scriptParsed(MODULE));
    receive(scriptParsed('node:fs'));
    receive('{"id":1,"result":{}}');
    await setImmediate();
    expect(sent).toEqual([]);
    expect(asked.map(({ params }) => params.expression)).toEqual([expect.stringContaining(`('${MODULE}')`)]);
    receive(answer(asked[0]?.id ?? 0, PACKED));
    await setImmediate();
    expect(sent.map(message => /demo|node:fs|"id":1/.exec(message)?.[0])).toEqual(['demo', 'node:fs', '"id":1']);
    expect(sent[0]).toContain('"sourceMapURL":"data:application/json;base64,');
  });

  it.each([
    ['has no map', null],
    ['has a map that does not unpack', 'AAAA'],
  ])('announces a script as it is when the node %s', async (_, value) => {
    const { sent, asked, receive } = relayed();
    receive(scriptParsed(MODULE));
    receive(answer(asked[0]?.id ?? 0, value));
    await setImmediate();
    expect(sent).toEqual([scriptParsed(MODULE)]);
  });

  it('does not evaluate the name of a script that is no module', () => {
    const { asked, receive } = relayed();
    receive(scriptParsed(`${MODULE}'); process.exit(); ('`));
    expect(asked).toEqual([]);
  });

  it("gives the node's own program the map that it was started with", async () => {
    const { sent, receive } = relayed();
    receive(scriptParsed('file:///app/node.mjs'));
    await setImmediate();
    const [, json = ''] = /base64,([^"]+)/.exec(sent[0] ?? '') ?? [];
    const map = JSON.parse(Buffer.from(json, 'base64').toString()) as ConstructorParameters<typeof SourceMap>[0];
    expect(new SourceMap(map).findEntry(0, 0)).toMatchObject({ originalSource: 'file:///r/a.ts' });
  });
});
