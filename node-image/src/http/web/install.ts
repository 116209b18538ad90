import { onWebNames } from '../../sandbox/web-names.ts';
import { inherit } from './forward.ts';
import { IncomingHeaders } from './incoming-headers.ts';
import { IncomingRequest } from './incoming-request.ts';
import { ModuleResponse } from './module-response.ts';
import { natives, originals, type Replaced } from './natives.ts';

type WebClasses = Readonly<Record<Replaced, unknown>>;

const NAMES = ['Request', 'Response', 'fetch'] as const;

let classes: WebClasses | null = null;
let isInstalled = false;

function webClasses(): WebClasses {
  if (classes !== null) return classes;
  classes = createClasses();
  if (isInstalled) for (const name of NAMES) define(name, classes[name]);
  return classes;
}

function createClasses(): WebClasses {
  const native = natives();
  inherit(IncomingHeaders.prototype, native.Headers, value =>
    IncomingHeaders.isOwn(value) ? IncomingHeaders.real(value) : value,
  );
  Object.setPrototypeOf(ModuleResponse, native.Response);
  Object.setPrototypeOf(ModuleResponse.prototype, native.Response.prototype);
  Object.defineProperty(ModuleResponse, 'name', { value: 'Response' });
  Object.defineProperty(ModuleResponse, 'length', { value: 0 });

  /** Node's own, which also takes a request that came in. */
  class ModuleRequest extends native.Request {
    constructor(input: unknown, init?: RequestInit) {
      super(realRequest(input) as Request, init);
    }

    static override [Symbol.hasInstance](value: unknown): boolean {
      if (this !== ModuleRequest) return Function.prototype[Symbol.hasInstance].call(this, value);
      return value instanceof native.Request;
    }
  }
  Object.defineProperty(ModuleRequest, 'name', { value: 'Request' });
  Object.defineProperty(ModuleRequest, 'length', { value: 1 });
  // `Request.prototype.text.call(request)`
  inherit(ModuleRequest.prototype, native.Request, value => realRequest(value) as object);
  Object.defineProperty(ModuleRequest.prototype, 'constructor', { value: ModuleRequest });
  inherit(IncomingRequest.prototype, native.Request, value => realRequest(value) as object);
  Object.setPrototypeOf(IncomingRequest.prototype, ModuleRequest.prototype);
  Object.defineProperty(IncomingRequest.prototype, 'constructor', { value: ModuleRequest });

  const fetch = async (input: unknown, init?: RequestInit): Promise<Response> =>
    native.fetch(realRequest(input) as Request, init);
  return { Request: ModuleRequest, Response: ModuleResponse, fetch };
}

function realRequest(value: unknown): unknown {
  return IncomingRequest.isOwn(value) ? IncomingRequest.real(value) : value;
}

function define(name: Replaced, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}

/**
 * Makes ours known as subclasses of Node's own classes and, where they are installed, defines them. To be called before one of
 * them is used.
 */
export function linkWebClasses(): void {
  webClasses();
}

/**
 * Defines `Request`, `Response` and `fetch` for all modules and packages, when code that names one of them comes, or a request.
 * A node that serves nothing does not pay for Node's own. Disposing restores those.
 */
export function installWebClasses(): Disposable {
  isInstalled = true;
  if (classes !== null) for (const name of NAMES) define(name, classes[name]);
  onWebNames(linkWebClasses);
  return {
    [Symbol.dispose]: () => {
      isInstalled = false;
      onWebNames(null);
      const before = originals();
      for (const name of NAMES) {
        const original = before?.[name];
        if (original !== undefined) Object.defineProperty(globalThis, name, original);
      }
    },
  };
}
