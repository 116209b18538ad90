import { inherit } from './forward.ts';
import { IncomingHeaders } from './incoming-headers.ts';
import { IncomingRequest } from './incoming-request.ts';
import { ModuleResponse } from './module-response.ts';
import { natives, originalOf, type Replaced } from './natives.ts';

type WebClasses = Readonly<Record<Replaced, unknown>>;

const NAMES = ['Request', 'Response', 'fetch'] as const;

let classes: WebClasses | null = null;
let isInstalled = false;

/** Makes the classes and, where they are installed, defines them: Node.js defines its own ones when they are loaded. */
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

/** Makes ours known as subclasses of Node's own classes. To be called before one of them is used. */
export function linkWebClasses(): void {
  webClasses();
}

/**
 * Defines `Request`, `Response` and `fetch` for all modules and packages. They are made when one is read first: with Node's own
 * they take memory. Disposing restores Node's own.
 */
export function installWebClasses(): Disposable {
  isInstalled = true;
  for (const name of NAMES) {
    if (classes !== null) define(name, classes[name]);
    else {
      const get = (): unknown => webClasses()[name];
      Object.defineProperty(globalThis, name, {
        configurable: true,
        enumerable: false,
        get,
        set: (value: unknown) => {
          define(name, value);
        },
      });
    }
  }
  return {
    [Symbol.dispose]: () => {
      isInstalled = false;
      for (const name of NAMES) {
        const original = originalOf(name);
        if (original !== undefined) Object.defineProperty(globalThis, name, original);
      }
    },
  };
}
