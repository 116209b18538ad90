/** The flags of nodes for V8, see node-image/Dockerfile. */
export const FLAGS = [
  '--no-compilation-cache',
  '--no-parallel-scavenge',
  '--min-semi-space-size=4',
  '--no-allocation-site-pretenuring',
];
