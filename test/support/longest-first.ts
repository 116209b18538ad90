import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The tests that share a cluster, and those that start something a hundred times. */
const LONGEST = /\/(?:shared-cluster|life-cycle)\.test\.ts$/;

/**
 * Runs the tests that take longest before all others. Vitest expects that small files are quick: it would run them last, with
 * one worker and without work for the other one.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONGEST.test(moduleId);
    return [...bySize.filter(isLong), ...bySize.filter(file => !isLong(file))];
  }
}
