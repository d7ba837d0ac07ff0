import { type Address, getAddress, type Hex, isAddress } from 'viem'
import { z } from 'zod'

/** An address in any case, checksummed at this boundary. */
export const addressSchema = z
  .custom<Address>((value) => typeof value === 'string' && isAddress(value, { strict: false }), 'not an address')
  .transform((value) => getAddress(value))

/** 32 bytes of hex, lower-cased at this boundary. */
export const bytes32Schema = z
  .custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/i.test(value), 'not 32 bytes of hex')
  .transform((value) => value.toLowerCase() as Hex)

/** Atomic units as a decimal string. Parses to a bigint. */
export const atomicSchema = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,38})$/, 'not an amount in atomic units')
  .transform(BigInt)
