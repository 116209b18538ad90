// Which imports are forbidden. To add a rule, add an entry here and a case to test/unit/layers.test.ts.

/**
 * @typedef {object} ImportRule
 * @property {string} name
 * @property {string} why The reason, as a sentence; the linter prints it.
 * @property {RegExp} from The files that the rule binds.
 * @property {RegExp} to The imports that it forbids: a path from the root of the project, or `npm:<package>`.
 * @property {string[]} [names] With this, only imports of these names, or of the whole module, are forbidden.
 */

const NODE = 'node-image/src';
const CONTROLLER = 'controller/src';

/** Forbids a room to import other rooms of its program than `allowed`, and the files that compose the program. */
function room(source, prefix, name, allowed, why) {
  return {
    name: `${prefix}-${name}`,
    why,
    from: new RegExp(`^${source}/${name}/`),
    to: new RegExp(`^${source}/(?!(?:${[name, ...allowed].join('|')})/)`),
  };
}

const nodeRoom = (name, allowed, why) => room(NODE, 'node', name, allowed, why);
const controllerRoom = (name, allowed, why) => room(CONTROLLER, 'controller', name, allowed, why);

/** @type {ImportRule[]} */
export const importRules = [
  // Packages of the repository.
  {
    name: 'protocol-stands-alone',
    why: 'The contract between the programs must not depend on how one of them is written.',
    from: /^protocol\//,
    to: /^(?!protocol\/|npm:)/,
  },
  {
    name: 'shared-imports-only-protocol',
    why: 'Every program uses shared/, so code of one program in it would reach all the others.',
    from: /^shared\//,
    to: /^(?!shared\/|protocol\/|npm:)/,
  },
  {
    name: 'node-without-controller',
    why: 'A node knows the controller only by its messages, which protocol/ defines.',
    from: /^node-image\//,
    to: /^controller\//,
  },
  {
    name: 'controller-without-node',
    why: 'The controller knows a node only by its messages, which protocol/ defines.',
    from: /^controller\//,
    to: /^node-image\//,
  },
  {
    name: 'product-without-tests',
    why: 'The images do not contain tests, the demo, the docs, the linter or the scripts of setup/.',
    from: /^(?:protocol|shared|node-image|controller)\//,
    to: /^(?:test|demo|docs|lint|setup)\//,
  },
  {
    name: 'packages-at-the-rim',
    why: 'packages/ is what is published. It uses the rooms, and only scripts and tests use it.',
    from: /^(?!packages\/|test\/|setup\/|docs\/)/,
    to: /^packages\//,
  },
  {
    name: 'packages-apart',
    why: 'A published package does not contain tests, the demo, the linter or the scripts of setup/.',
    from: /^packages\//,
    to: /^(?:test|demo|docs|lint|setup)\//,
  },
  {
    name: 'host-without-server',
    why: 'The command line of the host knows that of the container by api/ and cli/, and builds what it pushes from afar. The server does the rest.',
    from: /^packages\/hotcast\//,
    to: /^(?:node-image\/|controller\/src\/(?!(?:api|cli|build)\/))/,
  },
  {
    name: 'only-bench-imports-bench',
    why: 'bench/ has its own dependencies, which are not installed for the product.',
    from: /^(?!bench\/)/,
    to: /^bench\//,
  },

  // Rooms of a node: main → {cluster, http, metrics} → modules → {packages, sandbox, watchdog}; metrics → http; packages → sandbox;
  // cluster → {admission, process}.
  nodeRoom(
    'cluster',
    ['admission', 'process', 'modules', 'packages', 'sandbox', 'watchdog'],
    'cluster/ connects the modules to NATS. It works without HTTP, and main composes it.',
  ),
  nodeRoom(
    'http',
    ['modules', 'sandbox', 'watchdog'],
    'http/ connects the modules to HTTP. It works without NATS, and main composes it.',
  ),
  nodeRoom('metrics', ['http', 'modules', 'packages'], 'metrics/ reads what the node does, and nothing depends on it.'),
  nodeRoom('modules', ['packages', 'sandbox', 'watchdog'], 'The module runtime does not know how a call reaches it.'),
  nodeRoom('packages', ['sandbox'], 'Packages are shared by all modules, so they know none of them.'),
  nodeRoom('sandbox', [], 'The environment of a version does not know who loads the version.'),
  nodeRoom('watchdog', [], 'The watchdog must work when everything else blocks.'),
  nodeRoom('admission', [], 'The code that verifies signatures stays small enough to review alone.'),
  nodeRoom('process', [], 'Facts about the operating-system process depend on nothing that runs in it.'),

  // Rooms of the controller: main → server → commands → rollout → {build, fleet} → {store, api}; main → cli → api;
  // main → backup → store; services → {nats-auth, store}.
  controllerRoom(
    'server',
    ['commands', 'rollout', 'build', 'fleet', 'store', 'api'],
    'The server dispatches commands. The command line is a client of it, and main composes them.',
  ),
  controllerRoom(
    'commands',
    ['rollout', 'build', 'fleet', 'store', 'api'],
    'A command does not know how it was received.',
  ),
  controllerRoom(
    'rollout',
    ['build', 'fleet', 'store', 'api'],
    'A rollout also runs without a command, in the reconciler and in the canary monitor.',
  ),
  controllerRoom('build', ['store', 'api'], 'A build needs source files and no cluster.'),
  controllerRoom('fleet', ['store', 'api'], 'Messages to the nodes do not depend on what is built or rolled out.'),
  controllerRoom(
    'backup',
    ['store'],
    'A backup is a copy of the stream. The controller writes the heads of a restore.',
  ),
  controllerRoom('store', [], 'Records are read and written in one way, whatever they are used for.'),
  controllerRoom('api', [], 'api/ is the contract between the command line and the server, and both import it.'),
  controllerRoom('cli', ['api'], 'The command line sends requests and prints results; the server does the work.'),
  controllerRoom('nats-auth', [], 'Permissions are the same in every process that grants or checks them.'),
  controllerRoom(
    'services',
    ['nats-auth', 'store'],
    'Each service is a process of its own, with as little code and as few rights as possible.',
  ),
  ...['roster', 'auth-callout', 'keygen', 'console'].map(service => ({
    name: 'services-apart',
    why: 'A service that imports another one would carry the code and the rights of both.',
    from: new RegExp(`^controller/src/services/${service}/`),
    to: new RegExp(`^controller/src/services/(?!${service}/)`),
  })),
  {
    name: 'controller-main-without-services',
    why: 'Each service is a process of its own and has its own main file.',
    from: /^controller\/src\/[^/]+$/,
    to: /^controller\/src\/services\//,
  },

  // Packages from npm.
  {
    name: 'only-build-imports-compilers',
    why: 'esbuild, TypeScript and oxc are large and change often, so one folder and its tests depend on them.',
    from: /^(?!controller\/src\/build\/|test\/unit\/controller\/build\/)/,
    to: /^npm:(?:esbuild|typescript|oxc-transform)$/,
  },
  {
    name: 'only-roster-imports-dockerode',
    why: 'Access to the Docker socket is access to the host, so one small process has it.',
    from: /^(?:protocol|shared|node-image|controller\/src\/(?!services\/roster\/))/,
    to: /^npm:dockerode$/,
  },
  {
    name: 'one-file-opens-the-nats-connection',
    why: 'Every connection has the same TLS, authentication, reconnect and logging options.',
    from: /^(?:protocol|node-image|controller|shared\/(?!nats\/connection\.ts$))/,
    to: /^npm:@nats-io\/(?:transport-node|nats-core)$/,
    names: ['connect', 'wsconnect'],
  },
];

export const MAX_FILES_PER_FOLDER = 20;
