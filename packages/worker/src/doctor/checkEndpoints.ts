import { LIMITS } from '@peerhost/protocol'
import type { EndpointProbe } from '../chain/probeEndpoints.ts'
import { type Check, fail, ok, warn } from './check.ts'

const behindSeconds = 60
const suspectSeconds = 10

/** Every RPC endpoint by itself: answers, is of the chain, keeps up. Pure. */
export function checkEndpoints(probes: readonly EndpointProbe[], chainId: number): Check[] {
  const answering = probes.filter((probe) => probe.type === 'answers')
  const newest = Math.max(0, ...answering.map(({ timestamp }) => timestamp))
  const checks = probes.map((probe): Check => {
    const name = `rpc ${probe.endpoint}`
    if (probe.type === 'away') {
      const report = answering.length === 0 ? fail : warn
      return report(name, probe.problem, 'Check PEERHOST_RPC_URL and the provider.')
    }
    if (probe.chainId !== chainId)
      return fail(name, `It is of chain ${probe.chainId}, not ${chainId}.`, 'Take it out of PEERHOST_RPC_URL.')
    const behind = newest - probe.timestamp
    if (behind > behindSeconds) return warn(name, `It is ${behind} s behind the others.`, 'Put it last, or replace it.')
    return ok(name, `block ${probe.head}, ${probe.tookMs} ms`)
  })
  if (probes.length !== 1) return checks
  const single = warn('rpc fall-back', 'There is only one endpoint.', 'Name a second one in PEERHOST_RPC_URL.')
  return [...checks, single]
}

/** This machine’s clock against the newest block, and against the gateways’ clocks where they say them. Pure. */
export function checkClock(
  probes: readonly EndpointProbe[],
  gatewaySeconds: readonly number[],
  nowSeconds: number,
): Check {
  const name = 'clock'
  const next = 'Keep the clock by NTP: `timedatectl set-ntp true`.'
  const newest = Math.max(0, ...probes.map((probe) => (probe.type === 'answers' ? probe.timestamp : 0)))
  const skews = gatewaySeconds.map((seconds) => seconds - nowSeconds)
  // A block is old by itself, and never from the future.
  if (newest > nowSeconds) skews.push(newest - nowSeconds)
  const worst = skews.reduce((most, skew) => (Math.abs(skew) > Math.abs(most) ? skew : most), 0)
  const detail = `${Math.abs(worst)} s ${worst > 0 ? 'behind' : 'ahead of'} the network`
  if (Math.abs(worst) > LIMITS.clockSkewSeconds) return fail(name, `${detail}: tickets are declined.`, next)
  if (Math.abs(worst) > suspectSeconds) return warn(name, `${detail}.`, next)
  const age = nowSeconds - newest
  if (newest > 0 && age > behindSeconds)
    return warn(name, `The newest block is ${age} s old.`, 'Look whether the chain stands or the endpoints are behind.')
  return ok(name, skews.length > 0 ? `at most ${Math.abs(worst)} s off` : `newest block ${Math.max(0, age)} s old`)
}
