/** The classes and functions of Node.js itself that modules see through ours. */
export interface Natives {
  readonly Request: typeof Request;
  readonly Response: typeof Response;
  readonly Headers: typeof Headers;
  readonly fetch: typeof fetch;
}

/** What was defined before {@link installWebClasses}. Reading a value makes Node.js load its `fetch`. */
const ORIGINALS = {
  Request: Object.getOwnPropertyDescriptor(globalThis, 'Request'),
  Response: Object.getOwnPropertyDescriptor(globalThis, 'Response'),
  fetch: Object.getOwnPropertyDescriptor(globalThis, 'fetch'),
};

export type Replaced = keyof typeof ORIGINALS;

let loaded: Natives | null = null;

/** Node's own classes. An idle node does not load them, because they take 4 MB. */
export function natives(): Natives {
  return (loaded ??= {
    Request: original('Request') as Natives['Request'],
    Response: original('Response') as Natives['Response'],
    Headers: globalThis.Headers,
    fetch: original('fetch') as Natives['fetch'],
  });
}

export function originalOf(name: Replaced): PropertyDescriptor | undefined {
  return ORIGINALS[name];
}

function original(name: Replaced): unknown {
  const found = ORIGINALS[name];
  return found?.get === undefined ? (found?.value as unknown) : found.get.call(globalThis);
}
