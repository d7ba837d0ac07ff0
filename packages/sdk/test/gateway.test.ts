import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireDockerEngine, startDevnet } from '@peerhost/devnet'
import { testUsdcAbi } from '@peerhost/protocol'
import { connect } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { createPublicClient, http } from 'viem'
import { describeInvoke } from './invokeSuite.ts'

describeInvoke('a gateway with a worker', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'peerhost-sdk-gateway-'))
  const { socketPath } = await requireDockerEngine()
  const devnet = await startDevnet({ workers: 1, directory, dockerSocket: socketPath })
  const { developer, payer } = devnet.accounts
  const chain = createPublicClient({ transport: http(devnet.chain.rpcUrl) })
  const stop = async () => {
    await devnet.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const owner = await connect({ gatewayUrl: devnet.gatewayUrl, rpcUrl: devnet.chain.rpcUrl, account: developer })
    const { functions } = await deploy(owner, {
      directory: join(import.meta.dirname, 'project'),
      credit: { amount: '5' },
    })
    const deployed = (name: string) => {
      const found = functions.find((each) => each.name === name)
      if (!found?.url) throw new Error(`${name} was not deployed.`)
      return { functionId: found.functionId, url: found.url }
    }
    return {
      gatewayUrl: devnet.gatewayUrl,
      payer,
      free: deployed('now'),
      priced: deployed('forecast'),
      payee: developer.address,
      balanceOf: (address) =>
        chain.readContract({
          address: devnet.addresses.token,
          abi: testUsdcAbi,
          functionName: 'balanceOf',
          args: [address],
        }),
      // The gateway settles by itself.
      settle: async () => undefined,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
})
