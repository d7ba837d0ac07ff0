import { PeerHostError } from '@peerhost/protocol'
import type { Account, Chain, PublicClient, Transport, WalletClient } from 'viem'
import type { NetworkInfo } from './network.ts'

/** The part of `fetch` that the SDK uses; anything of this shape can stand in for it. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

/** What every action takes as its first argument. Made by `connect`, which has checked that its parts belong together. */
export type Connection = {
  /** Base URL of the gateway, without a slash at the end. */
  gatewayUrl: string
  network: NetworkInfo
  publicClient: PublicClient<Transport, Chain>
  /** Signs payments and messages and sends transactions; absent for free calls and reads. */
  account: Account | undefined
  walletClient: WalletClient | undefined
  fetch: Fetch
}

/** The account and its wallet client. Throws `config_invalid` when the connection has none. */
export function requireAccount(
  connection: Connection,
  purpose: string,
): { account: Account; walletClient: WalletClient } {
  const { account, walletClient } = connection
  if (account && walletClient) return { account, walletClient }
  throw new PeerHostError('config_invalid', `${purpose} needs an account, and this connection has none.`, {
    hint: 'Pass `account` (a viem account) or `walletClient` (a browser wallet) to connect().',
  })
}
