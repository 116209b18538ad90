import type { Logger } from '../../../../shared/logger.ts';
import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import type { Command } from '../../api/command.ts';
import type { OnReport } from '../../api/report.ts';
import type { Result } from '../../api/results.ts';
import type { RolloutContext } from '../../rollout/context.ts';
import { type Collector, otlpExporter } from './otlp.ts';
import { type Answered, answerOf, isTraced, newPlace, spansOf, spansOfOwn, traceparentOf } from './spans.ts';

export interface Tracing extends Disposable {
  /** Carries out a command, and exports the trace of it, if it is one that is traced. What it calls is below it in the trace. */
  readonly run: (
    command: Command,
    report: OnReport,
    body: (command: Command, report: OnReport) => Promise<Result>,
  ) => Promise<Result>;
  /** Traces a change that the controller makes by itself. Each is a trace of its own. */
  readonly trace: NonNullable<RolloutContext['trace']>;
}

/** Traces what a controller does: commands, and what it does by itself. */
export function startTracing(collector: Collector, cookie: string, log: Logger): Tracing {
  const service = {
    'service.name': 'hotcast-controller',
    'service.namespace': cookie,
    'service.version': PACKAGE_VERSION,
  };
  const exporter = otlpExporter(collector, service, log);
  const run: Tracing['run'] = async (command, report, body) => {
    if (!isTraced(command)) return body(command, report);
    const place = newPlace(command.traceparent);
    const answers: Answered[] = [];
    const startedAt = now();
    const end = (result: Result | Error): void =>
      exporter.export(spansOf(command, place, { startedAt, endedAt: now(), answers, result }));
    try {
      const result = await body({ ...command, traceparent: traceparentOf(place) }, message => {
        const answer = answerOf(message, now());
        if (answer !== null) answers.push(answer);
        report(message);
      });
      end(result);
      return result;
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  };
  const trace: Tracing['trace'] = (command, heads, detail) => {
    const answers: Answered[] = [];
    const startedAt = now();
    return {
      onAnswer: (phase, node) => void answers.push({ phase, node, at: now() }),
      end: commit =>
        exporter.export(
          spansOfOwn(newPlace(undefined), { command, heads, detail, startedAt, endedAt: now(), answers, commit }),
        ),
    };
  };
  return { run, trace, [Symbol.dispose]: () => exporter[Symbol.dispose]() };
}

/** Milliseconds since 1970, with fractions, that no change of the clock moves. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
