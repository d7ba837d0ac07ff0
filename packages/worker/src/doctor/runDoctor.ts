import { createRuntimeRootfs } from '@peerhost/runtime'
import { createChainClient } from '../chain/chainClient.ts'
import { probeEndpoints } from '../chain/probeEndpoints.ts'
import { readSuite } from '../chain/suite.ts'
import { type OpenSettings, readOpenSettings } from '../config.ts'
import { connectDocker } from '../sandbox/docker.ts'
import { type Check, fail, ok, problemOf } from './check.ts'
import { checkClock, checkEndpoints } from './checkEndpoints.ts'
import { checkEngine } from './checkEngine.ts'
import { checkDisk, checkKeystores, checkNode } from './checkMachine.ts'
import { checkGateway, checkRuntimeDigest, checkStorage, type GatewayAnswer } from './checkNetwork.ts'

/** Everything that a worker with these settings needs, looked at once. Never throws: what is wrong is a check. */
export async function runDoctor(env: Readonly<Record<string, string | undefined>>): Promise<Check[]> {
  const keystores = await checkKeystores(env)
  let settings: OpenSettings
  try {
    settings = readOpenSettings(env)
  } catch (error) {
    return [checkNode(), ...keystores, fail('settings', problemOf(error), 'Correct worker.env or the environment.')]
  }
  const { rpcUrls, chainId, coordinator, gateways, blockSources, dockerSocket, dataDirectory } = settings
  const engine = connectDocker(dockerSocket === undefined ? {} : { socketPath: dockerSocket })
  const [disk, sandbox, probes, contracts, asked, storage] = await Promise.all([
    checkDisk(dataDirectory),
    checkEngine(engine, settings),
    probeEndpoints(rpcUrls),
    checkContracts(settings),
    Promise.all(gateways.map((url) => checkGateway(url, { chainId, coordinator }))),
    Promise.all(blockSources.map(checkStorage)),
  ])
  const gatewaySeconds = asked.flatMap(({ seconds }) => (seconds === undefined ? [] : [seconds]))
  return [
    checkNode(),
    ok('settings', 'complete'),
    ...keystores,
    disk,
    ...sandbox,
    ...checkEndpoints(probes, chainId),
    checkClock(probes, gatewaySeconds, Math.floor(Date.now() / 1_000)),
    contracts,
    ...asked.map(({ check }) => check),
    await checkRuntime(settings, asked),
    ...storage,
  ]
}

async function checkRuntime({ runtimeDirectory }: OpenSettings, asked: readonly GatewayAnswer[]): Promise<Check> {
  try {
    const { digest } = await createRuntimeRootfs({ directory: runtimeDirectory })
    return checkRuntimeDigest(digest, asked)
  } catch (error) {
    return fail('runtime digest', problemOf(error), 'Run the worker with Node 24 on Linux.')
  }
}

async function checkContracts({ rpcUrls, chainId, coordinator }: OpenSettings): Promise<Check> {
  const { client, close } = createChainClient({ rpcUrls, chainId })
  try {
    await readSuite(client, coordinator)
    return ok('contracts', `coordinator ${coordinator}`)
  } catch (error) {
    const next = 'Check PEERHOST_COORDINATOR and PEERHOST_RPC_URL.'
    return fail('contracts', `The coordinator ${coordinator} does not answer: ${problemOf(error)}`, next)
  } finally {
    await close()
  }
}
