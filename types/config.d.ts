/** The configuration of a project, `hotcast.config.ts` in its folder. It is read and does not run, so its values are written out. */
export interface Config {
  /**
   * Names of npm packages that are not sent to nodes: native packages, for example. They are installed in the nodes' image, in
   * the version that is installed for the modules. Default: none.
   */
  readonly external?: readonly string[];
  /** The folder with the modules. The controller reads it when it starts. Default: `'modules'`. */
  readonly modules?: string;
}

/** Gives `hotcast.config.ts` its type: `export default defineConfig({ external: ['sharp'] });`. */
export function defineConfig(config: Config): Config;
