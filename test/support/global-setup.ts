import { removeLeftovers } from './docker/cleanup.ts';

/** Runs once before the cluster tests. */
export default removeLeftovers;
