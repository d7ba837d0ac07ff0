const names: Readonly<Record<number, string>> = {
  137: 'polygon',
  8453: 'base',
  31337: 'anvil',
  80002: 'polygon-amoy',
  84532: 'base-sepolia',
}

/** What people call a chain. */
export function networkName(chainId: number): string {
  return names[chainId] ?? `eip155-${chainId}`
}
