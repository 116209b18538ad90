/** Whether a response tells of an error of its module. Frameworks catch what a handler throws, and only this is seen of it. */
export function isFailedStatus(status: unknown): boolean {
  return status === 500;
}
