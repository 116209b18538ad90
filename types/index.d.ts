/// <reference types="node" />
// oxlint-disable-next-line typescript/triple-slash-reference -- It declares modules, which nothing can import.
/// <reference path="./assets.d.ts" />
import type { Hot } from './hot.d.ts';

export type { CodeChange, Hot } from './hot.d.ts';
export type * from './http.d.ts';

declare global {
  interface ImportMeta {
    /**
     * The API of Hotcast for a module. Another module is imported as `hot:<module>`: its types are those of
     * `modules/<module>.ts`, and every use of an imported name reaches its current version. A call throws `undef` while the
     * other module is not loaded.
     */
    readonly hot: Hot;
  }
}
