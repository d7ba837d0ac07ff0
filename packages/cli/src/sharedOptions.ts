import type { OptionSpec } from './command.ts'

/** Where `peerhost dev` listens unless told otherwise, and where every command looks unless told otherwise. */
export const defaultPort = 8_402

export type ConnectionInput = { gateway?: string; rpcUrl?: string }

/** Options of every command that talks to a network. */
export const connectionOptions: readonly OptionSpec[] = [
  {
    flags: '--gateway <url>',
    description: `gateway of the network (PEERHOST_GATEWAY; else http://127.0.0.1:${defaultPort})`,
  },
  { flags: '--rpc-url <url>', description: 'RPC of the chain (PEERHOST_RPC_URL; else what the gateway names)' },
]

export type AccountInput = { keyFile?: string; account?: string }

/** Where the caller's key comes from; nothing takes a key as an argument, where a process list shows it. */
export const accountOptions: readonly OptionSpec[] = [
  { flags: '--key-file <file>', description: 'file that holds the private key in hex' },
  {
    flags: '--account <keystore>',
    description:
      'encrypted keystore: a file, or a name in ~/.foundry/keystores (password: asked, piped, or in PEERHOST_KEYSTORE_PASSWORD_FILE)',
  },
]
