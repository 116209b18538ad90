/** The globals for HTTP that are not Node's own in modules and packages. */
const NAMES = /\b(?:Request|Response|fetch)\b/;

let prepare: (() => void) | null = null;

/** Sets what is called once, before code runs that names one of these globals; null for nothing. */
export function onWebNames(callback: (() => void) | null): void {
  prepare = callback;
}

/** Is to be called with all code of modules and packages before it runs. */
export function readNames(code: string): void {
  if (prepare !== null && NAMES.test(code)) expectNames();
}

/** Is to be called before code runs that can't be read. */
export function expectNames(): void {
  const callback = prepare;
  prepare = null;
  callback?.();
}
