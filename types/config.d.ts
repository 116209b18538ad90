/** The configuration of a project, `hotcast.config.ts` in its folder. It is read and does not run, so its values are written out. */
export interface Config {
  /**
   * Names of npm packages that are not sent to nodes: native packages, for example. They are installed in the nodes' image, in
   * the version that is installed for the modules. Default: none.
   */
  readonly external?: readonly string[];
  /** The folder with the modules. The controller reads it when it starts. Default: `'modules'`. */
  readonly modules?: string;
  /**
   * Groups of nodes, and the modules that go to each: `{ web: ['demo'], worker: ['ticker'] }`. The first one is the nodes of the service
   * `node`; every other one has the name of a service. A module can be in several. One that is in none goes to all nodes. Default: none.
   */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

/** Gives `hotcast.config.ts` its type: `export default defineConfig({ external: ['sharp'] });`. */
export function defineConfig(config: Config): Config;
