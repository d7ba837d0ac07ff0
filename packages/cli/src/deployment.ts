import type { deploy } from '@peerhost/sdk/node'
import { formatUnits } from 'viem'
import type { Colors } from './command.ts'
import { formatTable } from './table.ts'

/** Atomic units of USDC as people read a price. */
export function formatPrice(price: bigint): string {
  return price === 0n ? 'free' : `${formatUnits(price, 6)} USDC`
}

/** A deployment as people read it; in a dry run there are no URLs yet. */
export function formatDeployment(deployment: deploy.ReturnType, colors: Colors): string {
  const { project, functions, transaction, warnings, unbonded } = deployment
  const rows = functions.map(({ name, changed, price, version, cid, url }) => [
    changed ? colors.green('changed') : colors.dim('unchanged'),
    `${project}/${name}`,
    `v${version}`,
    formatPrice(price),
    url ?? cid,
  ])
  return [
    formatTable(rows),
    ...warnings.map((warning) => `${colors.yellow('warning')} ${warning}`),
    ...unbonded.map(
      (name) =>
        `${colors.yellow('warning')} ${name} is deterministic and has no owner’s bond: no jury judges it. Add it with --bond.`,
    ),
    ...(transaction ? [`transaction ${transaction}`] : []),
  ].join('\n')
}

/** One line about a step of a deployment. */
export function formatProgress(progress: deploy.Progress): string {
  switch (progress.step) {
    case 'bundle':
      return `bundled ${progress.functions.length} functions of ${progress.project}`
    case 'compare': {
      const changed = progress.functions.filter(({ change }) => change !== 'unchanged')
      return changed.length === 0 ? 'nothing changed' : `to publish: ${changed.map(({ name }) => name).join(', ')}`
    }
    case 'upload':
      return `stored ${progress.cid}`
    case 'register':
      return `registered in ${progress.transaction}`
    case 'credit':
      return progress.transactions.length === 0 ? 'credit is enough' : 'credit funded'
    case 'bond':
      return `${progress.function} has its owner’s bond`
    case 'ready':
      return `serving ${progress.function} v${progress.version} at ${progress.url}`
  }
}
