import { describe, expect, it } from 'vitest';

import { loadConfig as loadAuthCallout } from '../../../../controller/src/services/auth-callout/config.ts';
import { loadConfig as loadKeygen } from '../../../../controller/src/services/keygen/config.ts';
import { loadConfig as loadRoster } from '../../../../controller/src/services/roster/config.ts';

const ignore = (): void => undefined;

describe('loadConfig of the roster', () => {
  it('reads the labels of the node containers', () => {
    expect(loadRoster({ NODE_LABELS: 'a=1,b=2,' }, ignore)).toMatchObject({
      labels: ['a=1', 'b=2'],
      keysDir: '/run/keys/dino',
    });
  });

  it.each([{}, { NODE_LABELS: '' }, { NODE_LABELS: ',' }])('refuses to list every container: %j', env => {
    expect(() => loadRoster(env, ignore)).toThrow(/^NODE_LABELS must be one label or more/);
  });

  it('asks the engine of its machine if nothing else is said', () => {
    expect(loadRoster({ NODE_LABELS: 'a=1' }, ignore)).toMatchObject({ provider: 'compose', expected: [] });
    expect(loadRoster({ NODE_LABELS: 'a=1', ROSTER: 'swarm' }, ignore)).toMatchObject({ provider: 'swarm' });
  });

  it('takes a number of nodes, or their names, where nobody can be asked', () => {
    const expectedOf = (EXPECTED_NODES: string) => loadRoster({ ROSTER: 'static', EXPECTED_NODES }, ignore).expected;
    expect(expectedOf('3')).toEqual(['fred', 'bambam', 'betty']);
    expect(expectedOf('fred,worker-1')).toEqual(['fred', 'worker-1']);
    for (const wrong of ['', 'fred,', 'fred wilma', '1.5']) {
      expect(() => expectedOf(wrong)).toThrow(/^EXPECTED_NODES must be a number/);
    }
  });

  it('knows the other machines, by names of which none is its own', () => {
    const machinesOf = (MACHINES: string) =>
      loadRoster({ NODE_LABELS: 'a=1', ROSTER: 'agents', MACHINE: 'hub', MACHINES }, ignore).machines;
    expect(machinesOf('')).toEqual([]);
    expect(machinesOf('b,machine-3')).toEqual(['b', 'machine-3']);
    for (const wrong of ['b,b', 'b c', '*', 'B', 'b.c'])
      expect(() => machinesOf(wrong)).toThrow(/^MACHINES must be names of machines/);
    expect(() => machinesOf('b,hub')).toThrow('MACHINES must be the names of the other machines, without hub');
  });

  it('names all bad variables at once, in one line', () => {
    expect(() => loadRoster({ COOKIE: '*', LOG_LEVEL: 'loud' }, ignore)).toThrow(
      /^COOKIE [^\n]*; LOG_LEVEL [^\n]*; NODE_LABELS [^\n]*$/,
    );
  });
});

describe('loadConfig of the auth callout', () => {
  it('has the folder of the keys of all cookies, and names from the DNS if nothing else is said', () => {
    expect(loadAuthCallout({}, ignore)).toMatchObject({ keysDir: '/run/keys', nodeNames: 'dns' });
    expect(loadAuthCallout({ NODE_NAMES: 'roster' }, ignore)).toMatchObject({ nodeNames: 'roster' });
    expect(() => loadAuthCallout({ NODE_NAMES: 'hosts' }, ignore)).toThrow('NODE_NAMES must be dns or roster');
  });
});

describe('loadConfig of the key generator', () => {
  it('has a default for everything', () => {
    expect(loadKeygen({}, ignore)).toMatchObject({
      cookies: ['dino'],
      volumes: '/volumes',
      tls: false,
      hosts: ['nats'],
    });
  });

  it('reads lists that are separated by commas or spaces', () => {
    const env = { COOKIES: 'dino, quarry rex', NATS_HOSTS: 'nats,nats.example.org', NATS_TLS: '1' };
    expect(loadKeygen(env, ignore)).toMatchObject({
      cookies: ['dino', 'quarry', 'rex'],
      hosts: ['nats', 'nats.example.org'],
      tls: true,
    });
  });

  it('has to know where the hub is when the keys come from there', () => {
    const env = { MACHINE_KEYS: '/run/machine.json', MACHINE: 'b' };
    expect(loadKeygen({ ...env, HUB_URL: 'tls://10.0.0.1:7422' }, ignore)).toMatchObject({
      machine: 'b',
      machineKeys: '/run/machine.json',
      hub: 'tls://10.0.0.1:7422',
    });
    expect(() => loadKeygen(env, ignore)).toThrow('HUB_URL must be set with MACHINE_KEYS: tls://host:port');
    for (const HUB_URL of ['nats://10.0.0.1:7422', 'tls://10.0.0.1', 'tls://10.0.0.1:7422,tls://x:1'])
      expect(() => loadKeygen({ ...env, HUB_URL }, ignore)).toThrow('HUB_URL must be tls://host:port');
  });

  it('makes the keys of COOKIE when COOKIES is empty', () => {
    expect(loadKeygen({ COOKIE: 'rex', COOKIES: '' }, ignore).cookies).toEqual(['rex']);
  });

  it('names all bad variables at once, in one line', () => {
    expect(() => loadKeygen({ COOKIES: 'dino a.b', NATS_TLS: 'yes' }, ignore)).toThrow(
      /^COOKIES must be [^\n]*; NATS_TLS must be 1 or 0$/,
    );
  });
});
