/** The function of the Erlang walk: `demo:add/2`. */
export function add(x: number, y: number): number {
  return x + y;
}
