import { isAddress } from 'viem'
import { z } from 'zod'
import { LIMITS } from './limits.ts'

const operator = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, { error: 'must be an operator’s address: 0x and 40 hex digits.', abort: true })
  .refine((text) => isAddress(text), 'is not a valid address: its checksum is wrong.')

/** The operators that alone may run a function, as its metadata says it. */
export const trustedWorkersSchema = z
  .array(operator)
  .max(LIMITS.trustedWorkers)
  .refine((list) => new Set(list.map((one) => one.toLowerCase())).size === list.length, 'names an operator twice.')
