/** The seed's module: `demo:add/2`. */
export function add(x: number, y: number): number {
  return x + y;
}
