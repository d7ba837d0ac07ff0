import { type Chance, createChance } from './generated/chance.ts'
import { brokenModules, ends, nodeModules } from './generated/ends.ts'
import { bundleOf, type Group, type MakeGroup } from './generated/group.ts'
import { bytes, numbers, structures } from './generated/language.ts'
import { chanceOfKeys, cryptography, streams, webAssembly } from './generated/streams.ts'
import { text, time } from './generated/text.ts'
import { addresses, events, messages } from './generated/web.ts'

/** A bundle and the paths that lead to its functions. */
export type Deployment = {
  readonly name: string
  readonly bundle: Uint8Array
  readonly paths: readonly string[]
  /** Another implementation of the web platform gives the same. */
  readonly isPortable: boolean
  readonly usesNode: boolean
}

const makers: readonly MakeGroup[] = [
  ...[numbers, structures, bytes, text, time, addresses, messages, events],
  ...[streams, cryptography, chanceOfKeys, webAssembly, ends, nodeModules],
]

/** The generated half of the corpus: the same functions for a seed, always. */
export function generateDeployments(seed: number): Deployment[] {
  const chance: Chance = createChance(seed)
  const groups = makers.map((make) => deploymentOf(make(chance)))
  const broken = brokenModules.map(({ name, source }) => ({
    name,
    bundle: new TextEncoder().encode(source),
    paths: ['/'],
    isPortable: false,
    usesNode: false,
  }))
  return [...groups, ...broken]
}

function deploymentOf(group: Group): Deployment {
  return {
    name: group.name,
    bundle: new TextEncoder().encode(bundleOf(group)),
    paths: Object.keys(group.cases).map((name) => `/${name}`),
    isPortable: group.isPortable,
    usesNode: group.usesNode ?? false,
  }
}
