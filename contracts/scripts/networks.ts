import { type Address, getAddress } from 'viem'

/** A network that the protocol is deployed to by name. */
export type DeploymentNetwork = {
  chainId: number
  name: string
  /** Circle's USDC, which has EIP-3009 with both forms of signatures. */
  token: Address
  currency: string
  confirmations: number
  explorer: string
}

export const deploymentNetworks = {
  amoy: {
    chainId: 80_002,
    name: 'Polygon Amoy',
    token: getAddress('0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582'),
    currency: 'POL',
    confirmations: 3,
    explorer: 'https://amoy.polygonscan.com',
  },
  polygon: {
    chainId: 137,
    name: 'Polygon',
    token: getAddress('0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359'),
    currency: 'POL',
    confirmations: 10,
    explorer: 'https://polygonscan.com',
  },
} as const satisfies Record<string, DeploymentNetwork>
