import { lookup } from 'node:dns/promises'
import { isPublicAddress } from './publicAddress.ts'

/** The outside, as the broker reaches it. */
export type EgressNetwork = {
  /** Every address of a host name, in the order to be tried. Throws when there is none. */
  resolve: (hostname: string) => Promise<readonly string[]>
  /** Whether the broker may connect to an address. */
  mayConnect: (address: string) => boolean
  /** Hosts that are spoken to without TLS. */
  isPlain: (hostname: string) => boolean
  /** A certificate that counts instead of the usual authorities. */
  authority?: string
}

/** The public internet by the machine's own resolver. IPv4 comes first: not every machine has a route for the other. */
export const publicNetwork: EgressNetwork = {
  resolve: async (hostname) => {
    const found = await lookup(hostname, { all: true, order: 'ipv4first' })
    return found.map(({ address }) => address)
  },
  mayConnect: isPublicAddress,
  isPlain: () => false,
}

/**
 * The public internet with some names that lead to fixed addresses, whatever these are, and over plain HTTP. For tests and
 * development: behind such a name a function reaches what only this machine should reach.
 */
export function dangerousNetwork(hosts: ReadonlyMap<string, string>): EgressNetwork {
  const addresses = new Set(hosts.values())
  return {
    resolve: async (hostname) => {
      const address = hosts.get(hostname)
      return address === undefined ? publicNetwork.resolve(hostname) : [address]
    },
    mayConnect: (address) => addresses.has(address) || publicNetwork.mayConnect(address),
    isPlain: (hostname) => hosts.has(hostname),
  }
}
