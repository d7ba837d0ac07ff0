import { encodeFunctionData, type PublicClient, type Transport, type Chain as ViemChain } from 'viem'
import type { FacilitatorChain } from '../payment/x402.ts'
import type { Sender } from './sender.ts'

/** What the facilitator asks of the chain, with its transactions sent one at a time. */
export function facilitatorChain(client: PublicClient<Transport, ViemChain>, sender: Sender): FacilitatorChain {
  return {
    address: sender.address,
    readContract: (parameters) => client.readContract(parameters as Parameters<typeof client.readContract>[0]),
    verifyTypedData: (parameters) => client.verifyTypedData(parameters as Parameters<typeof client.verifyTypedData>[0]),
    writeContract: ({ address, abi, functionName, args, dataSuffix }) => {
      const data = encodeFunctionData({ abi, functionName, args: [...args] })
      const suffix = dataSuffix?.slice(2) ?? ''
      return sender.send({ to: address, data: `${data}${suffix}` })
    },
    sendTransaction: ({ to, data }) => sender.send({ to, data }),
    waitForTransactionReceipt: (parameters) => client.waitForTransactionReceipt(parameters),
    getCode: (parameters) => client.getCode(parameters),
  }
}
