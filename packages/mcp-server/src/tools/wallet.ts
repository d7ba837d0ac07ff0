import { z } from 'zod'
import { priceText } from '../catalogue/endpointTool.ts'
import { defineTool } from './tool.ts'

/** The wallet, for looking at. There is no tool that sends. */
export const walletTool = defineTool({
  name: 'peer_wallet',
  title: 'PeerHost wallet',
  description:
    'Address, network and balance of the wallet that pays. Read-only: no tool can send money or show the key.',
  input: z.object({}),
  output: z.object({
    mode: z.enum(['paying', 'read-only']),
    address: z.string().nullable(),
    network: z.string().nullable(),
    asset: z.string().nullable(),
    balance: z.string().nullable(),
    funding: z.string(),
  }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  run: async (deps, _, signal) => {
    const { network } = await deps.catalogue.snapshot()
    const address = deps.wallet?.account.address
    const balance = address && network ? await deps.port.balance(address, signal) : undefined
    const place = network
      ? { network: `eip155:${network.chainId}`, asset: network.token.address }
      : { network: null, asset: null }
    return {
      structured: {
        mode: address ? ('paying' as const) : ('read-only' as const),
        address: address ?? null,
        ...place,
        balance: balance !== undefined && network ? (balance === 0n ? '0' : priceText(balance, network.token)) : null,
        funding: address
          ? `The human can send a small amount of the token ${place.asset ?? ''} to ${address} on ${place.network ?? 'the network'}.`
          : 'No wallet: only free functions can be called. The human can set PEERHOST_MCP_KEY_FILE.',
      },
    }
  },
})
