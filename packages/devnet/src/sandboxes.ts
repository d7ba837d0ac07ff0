import { join } from 'node:path'
import { sandboxLabels, sandboxOwner } from '@peerhost/worker'
import type { DevnetAccounts } from './accounts.ts'
import { dockerApi } from './dockerApi.ts'

/** Removes the containers that workers of this devnet left, for instance because a worker was killed. */
export async function removeSandboxes(
  dockerSocket: string,
  { directory, accounts }: { directory: string; accounts: DevnetAccounts },
): Promise<void> {
  const owners = accounts.operators.map(({ executionKey }, index) =>
    sandboxOwner({ executionKey: executionKey.address, dataDirectory: join(directory, `worker-${index + 1}`) }),
  )
  await Promise.all(owners.map((owner) => removeOwned(dockerSocket, owner)))
}

async function removeOwned(dockerSocket: string, owner: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${sandboxLabels.owner}=${owner}`] }))
  const listed = await dockerApi(dockerSocket, 'GET', `/containers/json?all=1&filters=${filters}`).catch(
    () => undefined,
  )
  // An engine that is gone took its containers with it.
  if (listed?.status !== 200) return
  const containers = JSON.parse(listed.body) as { Id: string }[]
  await Promise.allSettled(
    containers.map(({ Id }) => dockerApi(dockerSocket, 'DELETE', `/containers/${Id}?force=1&v=1`, 20_000)),
  )
}
