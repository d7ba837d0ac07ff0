import { type Hex, toHex } from 'viem'
import { type HDAccount, mnemonicToAccount } from 'viem/accounts'

/** Known to everyone on purpose: these keys hold play money on a chain of one machine. */
export const DEVNET_MNEMONIC = 'test test test test test test test test test test test junk'

/** A devnet account: a viem account that signs locally, and its key for processes that read it from their environment. */
export type DevnetAccount = HDAccount & { privateKey: Hex }

/** One worker's two keys: `operator` owns it and stakes, `executionKey` signs for it and holds no money. */
export type OperatorAccounts = { operator: DevnetAccount; executionKey: DevnetAccount }

/** Who is who on a devnet. The same on every start. */
export type DevnetAccounts = {
  /** Deploys the contracts. */
  deployer: DevnetAccount
  /** Owns and prices functions. */
  developer: DevnetAccount
  /** Pays for calls by x402. */
  payer: DevnetAccount
  /** Pays for calls through the MCP server. */
  agent: DevnetAccount
  /** Signs tickets. */
  gateway: DevnetAccount
  /** Submits x402 payments. */
  facilitator: DevnetAccount
  /** Receives protocol fees. */
  treasury: DevnetAccount
  operators: readonly OperatorAccounts[]
}

const firstOperatorIndex = 100
const firstExecutionKeyIndex = 1_000

/** Derives the accounts of a devnet with this many workers. */
export function devnetAccounts(workers: number): DevnetAccounts {
  return {
    deployer: account(0),
    developer: account(1),
    payer: account(2),
    agent: account(3),
    gateway: account(4),
    facilitator: account(5),
    treasury: account(6),
    operators: Array.from({ length: workers }, (_, index) => ({
      operator: account(firstOperatorIndex + index),
      executionKey: account(firstExecutionKeyIndex + index),
    })),
  }
}

function account(addressIndex: number): DevnetAccount {
  const derived = mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex })
  const { privateKey } = derived.getHdKey()
  if (!privateKey) throw new Error('The mnemonic gave an account without a key.')
  return { ...derived, privateKey: toHex(privateKey) }
}
