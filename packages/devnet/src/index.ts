export {
  DEVNET_MNEMONIC,
  type DevnetAccount,
  type DevnetAccounts,
  devnetAccounts,
  type OperatorAccounts,
} from './accounts.ts'
export { DEVNET_CHAIN_ID, type DevnetChain, devnetChain, type StartChainOptions, startChain } from './chain.ts'
export {
  DEVNET_STAKE,
  DEVNET_TOKEN,
  type DevnetAddresses,
  type DevnetTuning,
  deployContracts,
  fundAccounts,
  hasContracts,
} from './contracts.ts'
export {
  type DockerEngine,
  type EnsureDockerOptions,
  ensureDockerEngine,
  findDockerEngine,
  type ReadyDockerEngine,
  requireDockerEngine,
} from './dockerEngine.ts'
export { freePort } from './freePort.ts'
export { type DevnetNetwork, type GatewayProcess, startGateway } from './gatewayProcess.ts'
export { type LocalServer, type LocalServerOptions, startLocalServer } from './localServer.ts'
export { type Exit, type ManagedProcess, nodeConditions, startManagedProcess } from './managedProcess.ts'
export { type Devnet, type DevnetEvent, type DevnetOptions, startDevnet } from './startDevnet.ts'
export { startWorker, type WorkerProcess, type WorkerProcessOptions } from './workerProcess.ts'
