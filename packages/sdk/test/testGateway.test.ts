import { describeInvoke } from './invokeSuite.ts'
import { startTestGateway } from './testGateway.ts'
import { startTestNetwork } from './testNetwork.ts'

describeInvoke('a server of x402 primitives', async () => {
  const network = await startTestNetwork()
  const gateway = await startTestGateway(network)
  const { developer, payer } = network.accounts
  const urlOf = (name: string) => `${gateway.url}/${developer.address}/weather/${name}`
  return {
    gatewayUrl: gateway.url,
    payer,
    free: { functionId: network.functions.free, url: urlOf('now') },
    priced: { functionId: network.functions.priced, url: urlOf('forecast') },
    payee: developer.address,
    balanceOf: network.balanceOf,
    settle: gateway.settle,
    stop: async () => {
      await gateway.stop()
      await network.stop()
    },
  }
})
