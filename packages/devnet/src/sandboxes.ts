import { dockerApi } from './dockerApi.ts'

/** Removes the containers that workers of this devnet left, for instance because a worker was killed. */
export async function removeSandboxes(dockerSocket: string, directory: string): Promise<number> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`peerhost.worker.data=${directory}`] }))
  const listed = await dockerApi(dockerSocket, 'GET', `/containers/json?all=1&filters=${filters}`).catch(
    () => undefined,
  )
  if (listed?.status !== 200) return 0
  const containers = JSON.parse(listed.body) as { Id: string }[]
  await Promise.allSettled(
    containers.map(({ Id }) => dockerApi(dockerSocket, 'DELETE', `/containers/${Id}?force=1&v=1`, 20_000)),
  )
  return containers.length
}
