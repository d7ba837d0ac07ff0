import { type Address, concatHex, type Hex, hexToBytes, stringToHex } from 'viem'

const label = stringToHex('PeerHost sealed environment 1')

/**
 * What an envelope with a function's environment is bound to (`info` of HPKE, RFC 9180): one request, whose id is the hash of its ticket
 * under the domain of its chain and coordinator, and the operator that runs it. Label, request id (32 bytes), operator (20 bytes).
 */
export function environmentContext(requestId: Hex, operator: Address): Uint8Array {
  return hexToBytes(concatHex([label, requestId, operator]))
}
