import { inspect } from 'node:util';

import { type ErrorDescription, errorLine } from '../../../protocol/error-description.ts';
import type { Printers } from '../../../protocol/values/encode.ts';
import { describeError } from '../../../shared/describe-error.ts';
import { mapStack, mapText, scriptIn } from '../../../shared/stack-trace.ts';
import { currentScript } from '../sandbox/execution-context.ts';
import { type Call, nameOf } from './in-flight-calls.ts';
import type { ModuleTable } from './module-table.ts';
import type { BundleInfo, Version } from './version.ts';

/** What is known of an error that the module has caught, and answered with. */
const FAILED_RESPONSE: ErrorDescription = {
  type: 'response',
  message: 'answered with the status 500; the log has what the module has printed of it',
};

/** A request to a version: its method and target. */
type Request = Pick<Call, 'method' | 'target' | 'version'>;

export type ModuleErrors = ReturnType<typeof moduleErrors>;

/** Describes the errors of modules, and counts those that nobody catches against their versions. */
export function moduleErrors(modules: ModuleTable) {
  const find = (script: string): BundleInfo | null => modules.bundleOf(script);

  /** Describes what was thrown. Positions in its stack are those of the modules' source files. */
  const describe = (thrown: unknown): ErrorDescription => describeError(thrown, find);

  /** Describes what was thrown on one line. */
  const describeInLine = (thrown: unknown): string => errorLine(describe(thrown)).replaceAll(/\s*\n\s*/g, ' ');

  /** Maps the stacks in a text that a module prints. */
  const mapPrinted = (text: string): string => mapText(text, find);

  /** Maps `demo@3f2a9c81b0d4:4:9` to the source: `modules/demo.ts:4:9`; null when it is not known. */
  const sourcePosition = (position: string): string | null => mapStack(position, find).split(' ')[1] ?? null;

  /** The packed source map of a script: `demo@3f2a9c81b0d4`; null when it is not kept. */
  const sourceMap = (script: string): Uint8Array | null => find(script)?.map ?? null;

  /** Counts and logs an error of a version. */
  const count = (version: Version, error: unknown): void => {
    version.errors += 1;
    version.log.error(() => describe(error));
  };

  /** Keeps that a response has told of an error. A framework has caught it, so the node knows no more of it. */
  const keepFailedResponse = (request: Request): void => {
    request.version.log.told(() => FAILED_RESPONSE, nameOf(request));
  };

  /**
   * Counts an uncaught error against the version whose code is in its stack, or else against the version that started the
   * code that threw. Returns false when there is no such version.
   */
  const countUncaught = (error: unknown): boolean => {
    const version = modules.versionOf(scriptIn(error) ?? currentScript());
    if (version !== null) count(version, error);
    return version !== null;
  };

  /** How the values of calls are printed that are not data. */
  const printers: Printers = { describeError: describe, print: value => mapPrinted(inspect(value)) };

  return {
    describe,
    describeInLine,
    mapPrinted,
    sourcePosition,
    sourceMap,
    count,
    keepFailedResponse,
    countUncaught,
    printers,
  };
}
