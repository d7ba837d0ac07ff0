import { z } from 'zod'
import { LIMITS } from './limits.ts'

const secretName = /^[A-Z][A-Z0-9_]{0,63}$/

/** True for a name that a secret may have. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/** The secrets that a function's code reads as its environment, as its metadata says it. */
export const environmentNamesSchema = z
  .array(z.string().refine(isSecretName, 'is no name of a secret: upper-case letters, digits and _, as in API_KEY.'))
  .min(1)
  .max(LIMITS.secretsPerProject)
  .refine((names) => new Set(names).size === names.length, 'names a secret twice.')
