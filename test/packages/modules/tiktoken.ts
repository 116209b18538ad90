import { get_encoding } from 'tiktoken';

/** tiktoken is WebAssembly in a file beside its code. */
export function check() {
  const encoding = get_encoding('cl100k_base');
  const tokens = encoding.encode('Hello hot code');
  const text = new TextDecoder().decode(encoding.decode(tokens));
  encoding.free();
  return { tokens: tokens.length, text };
}
