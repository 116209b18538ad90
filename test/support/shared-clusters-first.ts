import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Runs the tests that share a cluster before all others. They take longest, and Vitest expects that small files are quick:
 * it would run them last, with one worker and without work for the other one.
 */
export class SharedClustersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isShared = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/shared-cluster.test.ts');
    return [...sorted.filter(isShared), ...sorted.filter(file => !isShared(file))];
  }
}
