/** The options of `docker exec` that give the process in the container variables. One without a value is passed on if it is set. */
export function variables(all: Readonly<Record<string, string | null>>): string[] {
  return Object.entries(all).flatMap(([name, value]) => ['--env', value === null ? name : `${name}=${value}`]);
}
