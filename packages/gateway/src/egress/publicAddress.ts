import ipaddr from 'ipaddr.js'

/** Addresses in public ranges behind which a cloud's machines find their own platform. */
const platformAddresses = new Set(['168.63.129.16'])
/** What is allocated for the public internet (RFC 4291, section 2.4). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * True for an address of the public internet. Private, loopback, link-local (with the metadata services), carrier-grade NAT,
 * multicast, documentation and reserved ranges are not, and neither is any IPv6 address that carries an IPv4 one.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  if (address instanceof ipaddr.IPv6) return address.match(globalUnicast)
  // `isValid` also takes the old spellings with fewer parts; nothing that we connect to has one.
  return address.toString() === text && !platformAddresses.has(text)
}
