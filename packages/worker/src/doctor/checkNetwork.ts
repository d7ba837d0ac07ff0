import { type ProtocolDomain, sameHex } from '@peerhost/protocol'
import { type Check, fail, ok, problemOf, warn } from './check.ts'

const withinMs = 10_000
/** The CID of no bytes at all: every trustless gateway has it. */
const emptyCid = 'bafkqaaa'

/** What a gateway said, beside whether it is right. */
export type GatewayAnswer = {
  check: Check
  /** Its clock, in seconds since 1970. */
  seconds?: number | undefined
  /** Of the workers that are connected to it. */
  runtimeDigests?: readonly string[]
}

/** What one gateway says of its network; its clock comes with the answer. */
export async function checkGateway(url: string, { chainId, coordinator }: ProtocolDomain): Promise<GatewayAnswer> {
  const origin = new URL(url.replace(/^ws/, 'http')).origin
  const name = `gateway ${origin}`
  const next = 'Check PEERHOST_GATEWAYS and that this machine may reach it.'
  try {
    const answer = await fetch(`${origin}/v1/network`, { signal: AbortSignal.timeout(withinMs) })
    const date = Date.parse(answer.headers.get('date') ?? '')
    const seconds = Number.isNaN(date) ? undefined : Math.floor(date / 1_000)
    const said = (await answer.json()) as { chainId?: unknown; coordinator?: unknown; runtimeDigests?: string[] }
    const isSame =
      said.chainId === chainId &&
      typeof said.coordinator === 'string' &&
      sameHex(said.coordinator as `0x${string}`, coordinator)
    const { runtimeDigests = [] } = said
    if (isSame) return { check: ok(name, 'of the same network'), seconds, runtimeDigests }
    const detail = `It is of chain ${said.chainId}, coordinator ${said.coordinator}.`
    return { check: fail(name, detail, 'Take it out of PEERHOST_GATEWAYS.'), seconds }
  } catch (error) {
    return { check: fail(name, problemOf(error), next) }
  }
}

/** Whether other workers have the runtime that this machine makes: deployments are pinned to one. Pure. */
export function checkRuntimeDigest(own: string, answers: readonly GatewayAnswer[]): Check {
  const name = 'runtime digest'
  const others = new Set(answers.flatMap(({ runtimeDigests = [] }) => runtimeDigests.map((text) => text.toLowerCase())))
  if (others.size === 0 || others.has(own.toLowerCase())) return ok(name, own)
  const next = 'Take the Node and the system libraries of the other workers, or wait for deployments that name yours.'
  return warn(name, `No other worker of the gateways has ${own}: jobs may be declined as runtime-unsupported.`, next)
}

/** Whether a source of bundles answers; what it serves is verified anyway. */
export async function checkStorage(url: string): Promise<Check> {
  const name = `storage ${new URL(url).origin}`
  try {
    const answer = await fetch(`${url.replace(/\/+$/, '')}/ipfs/${emptyCid}?format=raw`, {
      headers: { accept: 'application/vnd.ipld.raw' },
      signal: AbortSignal.timeout(withinMs),
    })
    await answer.body?.cancel()
    if (answer.status < 500) return ok(name, `answers (${answer.status})`)
    return warn(name, `It answers with ${answer.status}.`, 'Name another source in PEERHOST_BLOCK_SOURCES.')
  } catch (error) {
    return warn(name, problemOf(error), 'Check PEERHOST_BLOCK_SOURCES; gateways are asked as well.')
  }
}
