import type { Config } from '../../../types/config.d.ts';

/** Gives `hotcast.config.ts` its type. The controller reads the file, and does not run it. */
export function defineConfig(config: Config): Config {
  return config;
}
