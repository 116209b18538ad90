/** The function of the Erlang walk: `demo:add/2`. */
export function add(x: number, y: number): number {
  console.log('Calculating like a boss!');
  return x + y;
}
