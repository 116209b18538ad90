import { removeLeftovers } from './docker.ts';

/** Runs once before the cluster tests. */
export default removeLeftovers;
