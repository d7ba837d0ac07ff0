import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalResult, encodeResult } from '@peerhost/protocol'
import { assembleWorker, createWorkerEvents, type Sandbox } from '@peerhost/worker'
import { type Address, type Hex, parseEther, toHex } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { devnetPurse, type TestNetwork } from './network.ts'

export const lie = { sum: 666 }

/** A staked worker that runs nothing and answers every request with the same lie, signed as its result. */
export async function startLiar(network: TestNetwork): Promise<{ operator: Address; stop: () => Promise<void> }> {
  const { devnet } = network
  const operatorKey = generatePrivateKey()
  const operator = privateKeyToAddress(operatorKey)
  await devnetPurse(network, operator, { ether: parseEther('100'), tokens: 1_000_000_000n })
  const dataDirectory = mkdtempSync(join(tmpdir(), 'peerhost-liar-'))
  const runtimeDigest = await runtimeOf(network)
  const assembled = await assembleWorker(
    {
      rpcUrls: [devnet.chain.rpcUrl],
      chainId: await network.chain.getChainId(),
      coordinator: devnet.addresses.coordinator,
      registry: devnet.addresses.registry,
      token: devnet.addresses.token,
      gateways: [`${devnet.gatewayUrl.replace(/^http/, 'ws')}/v1/worker`],
      operatorKey,
      executionKey: generatePrivateKey(),
      stake: '100',
      dataDirectory,
      runtimeDirectory: dataDirectory,
      blockSources: [devnet.gatewayUrl],
      sandbox: 'docker',
      capacity: 8,
      dockerSocket: undefined,
      containerRuntime: undefined,
      minimumFee: 0n,
      deployBlock: devnet.addresses.deployBlock,
      settlePatienceSeconds: 60,
      upkeep: false,
      drainSeconds: 10,
      metricsHost: '127.0.0.1',
      metricsPort: undefined,
      logLevel: 'silent',
    },
    { sandbox: lyingSandbox(runtimeDigest), events: createWorkerEvents() },
  )
  assembled.worker.start?.()
  return {
    operator,
    stop: async () => {
      await assembled.worker.stop()
      await assembled.close()
      rmSync(dataDirectory, { recursive: true, force: true })
    },
  }
}

function lyingSandbox(runtimeDigest: Hex): Sandbox {
  const body = new TextEncoder().encode(JSON.stringify(lie))
  const result = encodeResult(
    canonicalResult({ outcome: 'completed', status: 200, headers: [['content-type', 'application/json']], body }),
  )
  return {
    kind: 'docker',
    isolated: true,
    runtimeDigest,
    run: async () => ({ result, outcome: 'completed', status: 200, durationMs: 1, queueMs: 0, log: '', logBytes: 0 }),
    warm: async () => {},
    close: async () => {},
  }
}

async function runtimeOf({ devnet }: TestNetwork): Promise<Hex> {
  const response = await fetch(`${devnet.gatewayUrl}/v1/network`)
  const [digest] = ((await response.json()) as { runtimeDigests: Hex[] }).runtimeDigests
  return digest ?? toHex(0, { size: 32 })
}
