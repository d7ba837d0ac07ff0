import {
  concat,
  encodeAbiParameters,
  encodeFunctionData,
  getAddress,
  keccak256,
  parseAbi,
  parseEther,
  toHex,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { answerCase, type Cases } from '../answerCase.ts'

const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)

const cases: Cases = {
  keccak: ({ n }) => keccak256(concat([toHex(n), toHex('text')])),
  abi: () => encodeAbiParameters([{ type: 'string' }, { type: 'uint256[]' }], ['é', [1n, 2n ** 200n]]),
  call: () =>
    encodeFunctionData({
      abi: parseAbi(['function pay(address to, uint256 amount)']),
      args: [account.address, parseEther('1.5')],
    }),
  sign: () => account.signMessage({ message: 'hello' }),
  checksum: () => getAddress('0xd8da6bf26964af9d7eed9e03e53415d37aa96045'),
}
export default answerCase(cases)
