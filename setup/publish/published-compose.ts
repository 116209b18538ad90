import { PACKAGE_VERSION } from '../../shared/package-version.ts';

const HEADER = `# The services of Hotcast ${PACKAGE_VERSION}, to be included:
#
#   include:
#     - path: node_modules/hotcast/compose.yaml
#       project_directory: .
#
# It is made from docker-compose.yml of the repository. Settings are variables, in the environment or in .env.
`;

/** The services that the controller's Dockerfile builds have its targets as names; the other one is the node. */
const BUILD = /^ {4}build:\n(?: {6}.*\n)+/gm;

/** The configuration of a program that is a file in the repository. `directives`: how the program starts with it. */
interface MountedFile {
  readonly path: string;
  /** The line of the service that mounts it. */
  readonly mount: string;
  /** The line of the service that starts the program, and what it becomes. The configuration is in the variable CONFIG. */
  readonly start: readonly [before: string, after: string];
  /** Changes what depends on the folder of the file. */
  readonly adapt?: (text: string) => string;
}

const FROM_VARIABLE = (file: string, command: string): string =>
  `    entrypoint: ['sh', '-c', 'printf %s "$$CONFIG" >${file} && exec ${command} ${file}']`;

const HAPROXY = [
  "    entrypoint: ['haproxy', '-f', '/etc/haproxy/haproxy.cfg']",
  FROM_VARIABLE('/tmp/haproxy.cfg', 'haproxy -f'),
] as const;

const FILES: readonly MountedFile[] = [
  {
    path: 'nats/nats.conf',
    mount: '      - ./nats/nats.conf:/etc/nats/nats.conf:ro\n',
    start: ["    command: ['-c', '/etc/nats/nats.conf']", FROM_VARIABLE('/tmp/nats.conf', 'nats-server -c')],
    // NATS takes the path from the folder of the file.
    adapt: text => replaced(text, 'include keys/', 'include ../etc/nats/keys/'),
  },
  {
    path: 'proxy/haproxy.cfg',
    mount: '    volumes:\n      - ./proxy/haproxy.cfg:/etc/haproxy/haproxy.cfg:ro\n',
    start: HAPROXY,
  },
  {
    path: 'proxy/module-ports.cfg',
    mount: '    volumes:\n      - ./proxy/module-ports.cfg:/etc/haproxy/haproxy.cfg:ro\n',
    start: HAPROXY,
  },
  {
    path: 'proxy/operators.cfg',
    mount: '    volumes:\n      - ./proxy/operators.cfg:/etc/haproxy/haproxy.cfg:ro\n',
    start: HAPROXY,
  },
];

/** @param read reads a file of the repository. */
export function publishedCompose(read: (path: string) => string): string {
  const [head = '', ...services] = read('docker-compose.yml').split(/^(?= {2}[a-z-]+:\n)/m);
  const all = [
    // The project is the user's, and has a name.
    head.slice(head.indexOf('# The hardening')),
    ...services.map(service => published(service, read)),
  ].join('');
  const text = HEADER + '\n' + replaced(all, '\nvolumes:\n', '\nvolumes:\n  secrets:\n');
  const left = /build:|(?<!\.)\.\/(?!modules\b)|context:/.exec(text.slice(HEADER.length));
  if (left !== null) throw new Error(`the compose file still refers to the repository: ${left[0]}`);
  return text;
}

function published(service: string, read: (path: string) => string): string {
  let text = service.replaceAll(BUILD, build => `    image: ${imageOf(build)}\n`);
  for (const file of FILES) if (text.includes(file.mount)) text = withVariable(text, file, read(file.path));
  // Both are the user's to give. Without a folder, the secrets are an empty volume.
  return text
    .replace(
      '      - ${MODULES_ENV:-./setup/defaults/modules.env}\n',
      () => '      - path: ${MODULES_ENV:-./modules.env}\n        required: false\n',
    )
    .replace('${MODULES_SECRETS:-./setup/defaults/secrets}', () => '${MODULES_SECRETS:-secrets}');
}

function imageOf(build: string): string {
  const [, target = 'node'] = /target: (\S+)/.exec(build) ?? [];
  return `\${HOTCAST_IMAGES:-hotcast}/${target}:${PACKAGE_VERSION}`;
}

/** Gives a service its configuration in a variable: a file in the repository is not there, and Compose can't put one into a read-only container. */
function withVariable(service: string, { mount, start, adapt = text => text }: MountedFile, content: string): string {
  const lines = adapt(content)
    .split('\n')
    .filter(line => !/^\s*(?:#|$)/.test(line))
    .map(line => `        ${line.replaceAll('$', '$$$$')}`);
  const variable = ['      CONFIG: |', ...lines].join('\n');
  const text = replaced(replaced(service, mount, ''), ...start);
  const withTmp = text.includes('    tmpfs:')
    ? text
    : replaced(text, start[1], `${start[1]}\n    tmpfs: ['/tmp:size=1m']`);
  return withTmp.includes('    environment:\n')
    ? replaced(withTmp, '    environment:\n', `    environment:\n${variable}\n`)
    : replaced(withTmp, start[1], `${start[1]}\n    environment:\n${variable}`);
}

/** @throws Error when the text does not have what is to be replaced. */
function replaced(text: string, before: string, after: string): string {
  if (!text.includes(before)) throw new Error(`docker-compose.yml or a file of it has no ${JSON.stringify(before)}`);
  return text.replace(before, () => after);
}
