import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take minutes. One that began last would be left alone with one core at the end. */
const longest = [
  'test/e2e/disputes',
  'hostile/hostile.docker',
  'test/corpus/corpus.docker',
  'sandbox/sandbox.docker',
  'escrow.test',
  'quorum.test',
  'worker.docker',
]

/** Begins with the files that take longest; a fresh clone has no record of how long they took. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const rank = longest.findIndex((part) => moduleId.includes(part))
      return rank === -1 ? longest.length : rank
    }
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b))
  }
}
