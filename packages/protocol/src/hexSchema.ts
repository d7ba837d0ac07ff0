import type { Address, Hex } from 'viem'
import { z } from 'zod'

/** Whole bytes of hex. */
export const hexSchema = z.custom<Hex>(
  (value) => typeof value === 'string' && /^0x([0-9a-f]{2})*$/i.test(value),
  'not hex',
)

/** 32 bytes of hex. */
export const bytes32Schema = z.custom<Hex>(
  (value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/i.test(value),
  'not 32 bytes of hex',
)

/** 20 bytes of hex, in any case. */
export const addressSchema = z.custom<Address>(
  (value) => typeof value === 'string' && /^0x[0-9a-f]{40}$/i.test(value),
  'not an address',
)
