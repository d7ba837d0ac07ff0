import { variations } from '@peerhost/runtime'

/** Every fourth run of a juror is an ordinary one. */
const ordinaryEvery = 4
const others = variations.length - 1

/** How often a juror runs a request: under each of the other conditions once, and ordinary ones in between. */
export const JURY_RUNS = others + Math.ceil(others / (ordinaryEvery - 1))

/** A juror's runs, or as many as it takes that each of several sandboxes by turns has an ordinary one. */
export function juryRunsIn(sandboxes: number): number {
  return Math.max(JURY_RUNS, (sandboxes - 1) * ordinaryEvery + 1)
}

/** The numbers of the conditions of a juror's runs, in order: ordinary first, and again after every few others. */
export function juryVariations(runs = JURY_RUNS): number[] {
  return Array.from({ length: runs }, (_, index) => {
    if (index % ordinaryEvery === 0) return 0
    const other = index - Math.ceil(index / ordinaryEvery)
    return 1 + (other % others)
  })
}
