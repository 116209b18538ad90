/** A new id. Only commands that need one pay for the module that makes it. */
export function newId(): string {
  return process.getBuiltinModule('node:crypto').randomUUID();
}
