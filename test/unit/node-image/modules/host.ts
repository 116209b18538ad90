import { compile } from '../../../../controller/src/build/compile.ts';
import { call } from '../../../../node-image/src/modules/invoke.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import type { LoadResult } from '../../../../node-image/src/modules/load-result.ts';
import type { Bundle } from '../../../../protocol/bundle.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { CallAnswer } from '../../../../protocol/messages.ts';
import { isModuleName } from '../../../../protocol/names.ts';
import { decodeValue } from '../../../../protocol/values/decode.ts';
import { headOf, recordingLog } from '../../fixtures.ts';
import { projects } from '../../projects.ts';

/** A node without a wire, which takes modules as their authors write them. */
export interface Host {
  readonly server: CodeServer;
  readonly log: ReturnType<typeof recordingLog>;
  /** Compiles modules (`name: TypeScript`; other names are files beside them) and commits them together; gives their bundles. Throws when it is refused. */
  readonly push: (sources: Readonly<Record<string, string>>) => Promise<Bundle[]>;
  /** The same, and gives what the node says. */
  readonly tryPush: (sources: Readonly<Record<string, string>>) => Promise<LoadResult>;
  /** Compiles modules, and loads nothing. */
  readonly compile: (sources: Readonly<Record<string, string>>) => Promise<Bundle[]>;
  /** Prepares and commits a compiled module. */
  readonly load: (bundle: Bundle) => LoadResult;
  /** Commits a revision that was pushed before; null removes the module. */
  readonly commit: (module: string, revision: string | null) => LoadResult;
  /** Goes back to a revision from one that another node refused. */
  readonly revert: (module: string, revision: string) => LoadResult;
  readonly call: (module: string, name: string, ...args: unknown[]) => Promise<CallAnswer>;
  /** What a call gives; throws when it fails. */
  readonly value: (module: string, name: string, ...args: unknown[]) => Promise<unknown>;
}

/** Gives a function that makes hosts. */
export function hosts(): (options?: ConstructorParameters<typeof CodeServer>[1]) => Host {
  const project = projects();
  return options => {
    const log = recordingLog();
    const server = new CodeServer(log, options);
    let sequence = 0;

    const compiled = async (sources: Readonly<Record<string, string>>): Promise<Bundle[]> => {
      const files = Object.entries(sources).map(([module, source]) => [`modules/${module}.ts`, source]);
      // As in the project's own modules folder.
      const modules = project({ ...Object.fromEntries(files), 'modules/package.json': '{ "type": "module" }' });
      const names = Object.keys(sources).filter(isModuleName);
      return Promise.all(names.map(async module => (await compile(modules, module)).bundle));
    };
    const prepareAll = (bundles: readonly Bundle[]): Head[] => {
      sequence += 1;
      for (const bundle of bundles) server.prepare(bundle);
      return bundles.map(({ module, revision }) => headOf(module, revision, sequence));
    };
    const commitAll = async (bundles: readonly Bundle[]): Promise<LoadResult> => {
      const heads = prepareAll(bundles);
      return server.suspensions.whenQuiet(heads, () => server.commit(heads));
    };
    const callIt = (module: string, name: string, ...args: unknown[]): Promise<CallAnswer> =>
      call(server, 'fred', { module, function: name, args });
    return {
      server,
      log,
      call: callIt,
      compile: compiled,
      load: bundle => server.commit(prepareAll([bundle])),
      push: async sources => {
        const bundles = await compiled(sources);
        const outcome = await commitAll(bundles);
        if (outcome.status === 'refused') throw new Error(outcome.detail);
        return bundles;
      },
      tryPush: async sources => commitAll(await compiled(sources)),
      commit: (module, revision) => {
        sequence += 1;
        return server.commit([headOf(module, revision, sequence)]);
      },
      revert: (module, revision) => {
        sequence += 1;
        return server.commit([{ ...headOf(module, revision, sequence), revert: true }]);
      },
      value: async (module, name, ...args) => {
        const answer = await callIt(module, name, ...args);
        if (answer.status === 'error') throw new Error(`${answer.type}: ${answer.message}`);
        return decodeValue(answer.json);
      },
    };
  };
}
