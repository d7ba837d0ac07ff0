import { connect } from '@peerhost/sdk'
import { createWalletClient, custom, http, zeroAddress } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestNetwork, type TestNetwork } from './testNetwork.ts'

let network: TestNetwork
let gateway: TestGateway

beforeAll(async () => {
  network = await startTestNetwork()
  gateway = await startTestGateway(network)
})
afterAll(async () => {
  await gateway?.stop()
  await network?.stop()
})

/** A gateway that lies about its network. */
const lying = (change: (info: Record<string, unknown>) => unknown) =>
  connect({
    gatewayUrl: gateway.url,
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      const info = (await response.json()) as Record<string, unknown>
      return Response.json(change(info))
    },
  })

describe('connect', () => {
  test('takes the network as the gateway and the chain agree on it', async () => {
    const connection = await connect({ gatewayUrl: `${gateway.url}/`, rpcUrl: network.chain.rpcUrl })
    expect(connection.gatewayUrl).toBe(gateway.url)
    expect(connection.network).toMatchObject({ chainId: 84_532, token: { symbol: 'USDC', decimals: 6 } })
    expect(connection.account).toBeUndefined()
  })

  test('reads the chain over WebSocket as well', async () => {
    const { webSocketUrl } = network.chain
    const connection = await connect({ gatewayUrl: gateway.url, rpcUrl: webSocketUrl })
    expect(connection.publicClient.transport.type).toBe('webSocket')
    const { socket } = await connection.publicClient.transport.getRpcClient()
    socket.close()
  })

  test('works with the wallet client of a browser', async () => {
    const account = network.accounts.payer.address
    const provider = { request: async () => [account] }
    const walletClient = createWalletClient({ account, transport: custom(provider) })
    const connection = await connect({ gatewayUrl: gateway.url, walletClient })
    expect(connection.account?.address).toBe(account)
    expect(connection.walletClient).toBe(walletClient)
  })

  test('refuses a gateway whose word the chain does not confirm', async () => {
    const token = (change: object) => (info: Record<string, unknown>) => ({
      ...info,
      token: { ...(info.token as object), ...change },
    })
    const lies = [
      (info: object) => ({ ...info, chainId: 1 }),
      (info: object) => ({ ...info, coordinator: zeroAddress }),
      (info: object) => ({ ...info, registry: network.accounts.agent.address }),
      token({ decimals: 18 }),
      token({ name: 'Other' }),
      token({ version: '1' }),
      token({ address: network.addresses.registry }),
    ]
    for (const lie of lies) {
      await expect(lying(lie)).rejects.toMatchObject({ name: 'PeerHostError', hint: expect.any(String) })
    }
  })

  test('refuses another network than the one expected', async () => {
    const { coordinator } = network.addresses
    await expect(connect({ gatewayUrl: gateway.url, expect: { chainId: 84_532, coordinator } })).resolves.toBeDefined()
    await expect(connect({ gatewayUrl: gateway.url, expect: { coordinator: zeroAddress } })).rejects.toMatchObject({
      code: 'config_invalid',
    })
  })

  test('says which side cannot be reached', async () => {
    const closed = 'http://127.0.0.1:9'
    await expect(connect({ gatewayUrl: closed })).rejects.toMatchObject({ code: 'gateway_unavailable' })
    await expect(connect({ gatewayUrl: 'no url' })).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(
      connect({ gatewayUrl: gateway.url, rpcUrl: closed, transport: http(closed, { retryCount: 0 }) }),
    ).rejects.toMatchObject({
      code: 'chain_unavailable',
    })
    await expect(lying(() => ({ hello: 'world' }))).rejects.toMatchObject({ code: 'gateway_unavailable' })
    await expect(lying(({ rpcUrl: _, ...info }) => info)).rejects.toMatchObject({ code: 'config_invalid' })
    const aborted = connect({ gatewayUrl: gateway.url, signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
  })
})
