import {
  confirmedLaneAbi,
  directoryAbi,
  disputeCourtAbi,
  executionCoordinatorAbi,
  functionRegistryAbi,
  operatorRegistryAbi,
  type ProtocolParameters,
  type ProtocolTimes,
  paymentEscrowAbi,
  protocolParametersAbi,
} from '@peerhost/protocol'
import { type Abi, type Address, encodeDeployData, type Hex } from 'viem'
import {
  confirmedLaneBytecode,
  directoryBytecode,
  disputeCourtBytecode,
  executionCoordinatorBytecode,
  functionRegistryBytecode,
  operatorRegistryBytecode,
  paymentEscrowBytecode,
  protocolParametersBytecode,
} from '../artifacts.generated.ts'
import { create3Address, suiteSalt } from './create3.ts'

/** What a deployment of the protocol is made of. The same on two chains, it has the same addresses on both. */
export type SuiteConfig = {
  /** Whose contracts they are: part of every address. */
  deployer: Address
  /** Names one version of the suite; another release has other addresses. */
  release: string
  token: Address
  treasury: Address
  governor: Address
  times: ProtocolTimes
  parameters: ProtocolParameters
}

/** The contracts in the order in which they are deployed: each reads the ones before it. */
export const suiteNames = [
  'ProtocolParameters',
  'FunctionRegistry',
  'OperatorRegistry',
  'ExecutionCoordinator',
  'ConfirmedLane',
  'PaymentEscrow',
  'DisputeCourt',
  'Directory',
] as const
export type SuiteName = (typeof suiteNames)[number]

/** Where everything is. Twin: the struct `Suite`, and the directory. */
export type SuiteAddresses = {
  token: Address
  treasury: Address
  parameters: Address
  functions: Address
  operators: Address
  coordinator: Address
  confirmedLane: Address
  escrow: Address
  court: Address
  directory: Address
}

/** One contract as it is to be created. */
export type SuiteContract = {
  name: SuiteName
  salt: Hex
  address: Address
  arguments: readonly unknown[]
  /** With the constructor's arguments. */
  creationCode: Hex
}

const artifacts: Record<SuiteName, { abi: Abi; bytecode: Hex }> = {
  ProtocolParameters: { abi: protocolParametersAbi, bytecode: protocolParametersBytecode },
  FunctionRegistry: { abi: functionRegistryAbi, bytecode: functionRegistryBytecode },
  OperatorRegistry: { abi: operatorRegistryAbi, bytecode: operatorRegistryBytecode },
  ExecutionCoordinator: { abi: executionCoordinatorAbi, bytecode: executionCoordinatorBytecode },
  ConfirmedLane: { abi: confirmedLaneAbi, bytecode: confirmedLaneBytecode },
  PaymentEscrow: { abi: paymentEscrowAbi, bytecode: paymentEscrowBytecode },
  DisputeCourt: { abi: disputeCourtAbi, bytecode: disputeCourtBytecode },
  Directory: { abi: directoryAbi, bytecode: directoryBytecode },
}

/** The addresses that a deployment of this config has, before and after it. */
export function suiteAddresses({ deployer, release, token, treasury }: SuiteConfig): SuiteAddresses {
  const of = (name: SuiteName) => create3Address(deployer, suiteSalt(release, name))
  return {
    token,
    treasury,
    parameters: of('ProtocolParameters'),
    functions: of('FunctionRegistry'),
    operators: of('OperatorRegistry'),
    coordinator: of('ExecutionCoordinator'),
    confirmedLane: of('ConfirmedLane'),
    escrow: of('PaymentEscrow'),
    court: of('DisputeCourt'),
    directory: of('Directory'),
  }
}

/** Every contract of the suite with its address and creation code, in order. */
export function suiteContracts(config: SuiteConfig): SuiteContract[] {
  const { directory: _, ...suite } = suiteAddresses(config)
  const argumentsOf = (name: SuiteName): readonly unknown[] => {
    if (name === 'ProtocolParameters') return [config.governor, config.times, config.parameters]
    if (name === 'FunctionRegistry') return []
    if (name === 'Directory') return [config.governor, config.times.parameterDelay]
    return [suite]
  }
  return suiteNames.map((name) => {
    const salt = suiteSalt(config.release, name)
    const { abi, bytecode } = artifacts[name]
    const args = argumentsOf(name)
    return {
      name,
      salt,
      address: create3Address(config.deployer, salt),
      arguments: args,
      creationCode: encodeDeployData({ abi, bytecode, args }),
    }
  })
}
