import type { BlockStore } from '@peerhost/sdk/node'
import { UsageError } from './command.ts'

/**
 * The stores that the environment names, besides the gateway's: `PEERHOST_PINATA_JWT` (with `PEERHOST_PINATA_GATEWAY_URL`
 * where you have a gateway of your own) and `PEERHOST_KUBO_URL`. New blocks go to each of them.
 */
export async function blockStores(env: Record<string, string | undefined>): Promise<BlockStore[]> {
  const { PEERHOST_PINATA_JWT: jwt, PEERHOST_KUBO_URL: kuboUrl } = env
  const apiUrl = url(env, 'PEERHOST_PINATA_API_URL')
  const gatewayUrl = url(env, 'PEERHOST_PINATA_GATEWAY_URL')
  if (!jwt && !kuboUrl) return []
  const { createKuboStore, createPinataStore } = await import('@peerhost/sdk/node')
  return [
    ...(jwt ? [createPinataStore({ jwt, ...(apiUrl ? { apiUrl } : {}), ...(gatewayUrl ? { gatewayUrl } : {}) })] : []),
    ...(kuboUrl ? [createKuboStore({ apiUrl: url(env, 'PEERHOST_KUBO_URL') ?? kuboUrl })] : []),
  ]
}

function url(env: Record<string, string | undefined>, name: string): string | undefined {
  const value = env[name]
  if (!value) return undefined
  if (URL.canParse(value) && /^https?:/.test(value)) return value
  throw new UsageError(`${name} is not an http or https URL.`, `Correct it or unset it.`)
}
