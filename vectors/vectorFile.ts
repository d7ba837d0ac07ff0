import type { Hex } from 'viem'

/** A JSON value; numbers that may be large are decimal strings. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** One agreed value: `encoded` holds the arguments of the Solidity twin as ABI bytes, `hash` what both must give. */
export type VectorCase = { name: string; input: Json; encoded: Hex; hash: Hex } & { [key: string]: Json }

/** One input that every implementation refuses, with the code it refuses it with. */
export type RejectCase = { name: string; input: Json; code: string }

/** What stands in one file of this folder, before `count` is added. */
export type VectorFile = {
  description: string
  encoding: string
  type?: string
  typehash?: Hex
  cases: VectorCase[]
  reject?: RejectCase[]
}

/** bigint → decimal string, all the way down, so that any JSON parser reads the same numbers. */
export function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member)))
}
