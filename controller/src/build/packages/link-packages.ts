/** A namespace of a package as esbuild writes it for an importer that imports from CommonJS as Node.js does. */
const NAMESPACE = /__toESM\(require\("npm:([^"]+)"\), 1\)/g;

/**
 * Makes compiled code import packages as Node.js does: `require.import("x")` is the namespace of a package. What is left is
 * `require("npm:x")`, whose names the code reads one by one, and `require("x")`, where the source has that.
 */
export function linkPackages(code: string): string {
  return code.replace(NAMESPACE, 'require.import("$1")');
}
