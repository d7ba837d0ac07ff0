import { executionCoordinatorAbi, functionRegistryAbi, PeerHostError } from '@peerhost/protocol'
import {
  type Abi,
  ContractFunctionExecutionError,
  ContractFunctionRevertedError,
  encodeErrorResult,
  type Hex,
  HttpRequestError,
  InsufficientFundsError,
  UserRejectedRequestError,
  zeroAddress,
} from 'viem'
import { describe, expect, test } from 'vitest'
import { chainError } from './chainError.ts'

/** What viem throws when a call of a contract reverts with this data. */
function reverted(abi: Abi, data: Hex): Error {
  const cause = new ContractFunctionRevertedError({ abi, data, functionName: 'publish' })
  return new ContractFunctionExecutionError(cause, { abi, functionName: 'publish', args: [] })
}

const word = `0x${'1'.repeat(64)}` as const

describe('chainError', () => {
  test('reads the errors of the contracts and says what to do next', () => {
    const data = encodeErrorResult({
      abi: functionRegistryAbi,
      errorName: 'NotOwner',
      args: [word, zeroAddress, zeroAddress],
    })
    const error = chainError(reverted(functionRegistryAbi as Abi, data), 'set the price')
    expect(error).toMatchObject({
      code: 'conflict',
      message: `The contract refused to set the price: NotOwner(${word}, ${zeroAddress}, ${zeroAddress}).`,
      hint: 'Use the wallet that owns the function, or deploy under another project name.',
    })
  })

  test('reads an error that the called contract passed on from another', () => {
    const data = encodeErrorResult({ abi: executionCoordinatorAbi, errorName: 'AmountZero' })
    expect(chainError(reverted(functionRegistryAbi as Abi, data), 'call').code).toBe('request_invalid')
  })

  test('reads the words of a token', () => {
    const data = encodeErrorResult({
      abi: [{ type: 'error', name: 'Error', inputs: [{ name: 'message', type: 'string' }] }],
      errorName: 'Error',
      args: ['ERC20: transfer amount exceeds balance'],
    })
    expect(chainError(reverted([], data), 'deposit')).toMatchObject({
      code: 'insufficient_funds',
      message: 'The contract refused to deposit: ERC20: transfer amount exceeds balance.',
    })
  })

  test('keeps an unknown revert as it is', () => {
    expect(chainError(reverted([], '0xdeadbeef'), 'call')).toMatchObject({ code: 'transaction_failed' })
    expect(chainError(reverted([], '0x'), 'call')).toMatchObject({ code: 'transaction_failed' })
  })

  test('tells gas, wallet and node apart', () => {
    expect(chainError(new InsufficientFundsError(), 'pay').code).toBe('insufficient_funds')
    expect(chainError(new UserRejectedRequestError(new Error('no')), 'pay').code).toBe('transaction_failed')
    expect(chainError(new HttpRequestError({ url: 'http://localhost' }), 'pay').code).toBe('chain_unavailable')
    expect(chainError('a string', 'pay').code).toBe('transaction_failed')
    const own = new PeerHostError('conflict', 'Mine.')
    expect(chainError(own, 'pay')).toBe(own)
  })

  test('has a reading for errors that the contracts really have', async () => {
    const known = new Set(
      [...executionCoordinatorAbi, ...functionRegistryAbi].flatMap((item) =>
        item.type === 'error' ? [item.name] : [],
      ),
    )
    for (const name of ['NotOwner', 'FunctionUnknown', 'SpecInvalid', 'BalanceTooLow', 'TooEarly', 'CreditExhausted']) {
      expect([...known], name).toContain(name)
    }
  })
})
