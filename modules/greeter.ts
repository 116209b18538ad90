// A call of a `hot:` import runs the current version of that module, as a fully qualified call does in Erlang.
import { add } from 'hot:demo';

export function greet(name: string): string {
  return `Hello ${name}, two and two are ${add(2, 2)}`;
}
