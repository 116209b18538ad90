import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { ConsoleStand } from '../support/console/console-stand.ts';
import { MONITORING, Prometheus, promtool } from '../support/console/prometheus.ts';
import { startScene } from '../support/console/scene.ts';

const dashboard = v.object({ panels: v.array(v.object({ targets: v.array(v.object({ expr: v.string() })) })) });

describe('the metrics of the console', () => {
  it('are what Prometheus takes, and its linter has nothing against', async () => {
    await using stand = await ConsoleStand.start();
    await startScene(stand.fleet);
    await expect.poll(() => metricsOf(stand)).toContain('hotcast_nodes{state="running"} 30');
    expect(promtool(['check', 'metrics'], await metricsOf(stand))).toBe('');
  });

  it('reach a Prometheus with our configuration, and raise its alerts', async () => {
    await using stand = await ConsoleStand.start();
    const { push, trouble } = await startScene(stand.fleet);
    await using prometheus = await Prometheus.start(new URL(stand.url).host);
    await prometheus.shows('hotcast_nodes{state="running"}', 30);
    const pushes = 'hotcast_changes_total{command="push",outcome="committed"}';
    const before = Number(/committed"\} (\d+)/.exec(await metricsOf(stand))?.[1]);
    await push(async () => undefined);
    await prometheus.shows(pushes, before + 1);
    await prometheus.shows('hotcast_change_phase_duration_seconds_sum{command="push",phase="prepare"}', 0.06);
    await trouble();
    await prometheus.shows('ALERTS{alertname="HotcastNodesBanned",alertstate="firing"}', 1);
  });
});

describe('monitoring/', () => {
  it('has a valid configuration, and rules that raise what their examples say', () => {
    expect(promtool(['check', 'config', 'prometheus.yml'])).toContain('SUCCESS');
    expect(promtool(['test', 'rules', 'alerts.test.yml'])).toContain('SUCCESS');
  });

  it('asks in its rules and its dashboard only for metrics that there are', async () => {
    await using stand = await ConsoleStand.start();
    const metrics = await metricsOf(stand);
    const known = new Set([...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
    const { panels } = v.parse(dashboard, JSON.parse(readFileSync(join(MONITORING, 'grafana/dashboard.json'), 'utf8')));
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = readFileSync(join(MONITORING, 'alerts.yml'), 'utf8');
    const asked = [...expressions, rules].flatMap(text => [...text.matchAll(/hotcast_\w+/g)].map(([name]) => name));
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter(name => !known.has(name.replace(/_(?:bucket|sum|count)$/, '')))).toEqual([]);
  });
});

async function metricsOf({ url }: ConsoleStand): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}
