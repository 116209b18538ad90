/** The classes and functions of Node.js itself that modules see through ours. */
export interface Natives {
  readonly Request: typeof Request;
  readonly Response: typeof Response;
  readonly Headers: typeof Headers;
  readonly fetch: typeof fetch;
}

export type Replaced = 'Request' | 'Response' | 'fetch';

/** What Node.js has defined. Not even its description can be read, nor another one be written, without loading `fetch`. */
type Originals = Readonly<Record<Replaced, PropertyDescriptor | undefined>>;

let loaded: { readonly natives: Natives; readonly originals: Originals } | null = null;

/** Node's own classes. They are loaded when they are used first, because they take 4 MB. */
export function natives(): Natives {
  return load().natives;
}

/** What was defined before ours. Null when Node's own classes are not loaded, so that nothing has replaced them. */
export function originals(): Originals | null {
  return loaded?.originals ?? null;
}

function load(): NonNullable<typeof loaded> {
  if (loaded !== null) return loaded;
  const { Request, Response, Headers, fetch } = globalThis;
  const describe = (name: Replaced) => Object.getOwnPropertyDescriptor(globalThis, name);
  const defined = { Request: describe('Request'), Response: describe('Response'), fetch: describe('fetch') };
  return (loaded = { natives: { Request, Response, Headers, fetch }, originals: defined });
}
