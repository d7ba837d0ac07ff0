export {
  acceptJob,
  type ChainFacts,
  checkIdentity,
  checkLocally,
  checkOnChain,
  type Decision,
  type Job,
  type JobOffer,
  type LocalFacts,
} from './acceptJob.ts'
export { type BundlesDeps, createBundles, type FetchBundle } from './bundles.ts'
export { type ChainClient, type ChainClientOptions, createChainClient } from './chain/chainClient.ts'
export {
  type Coordinator,
  type CoordinatorDeps,
  type CoordinatorParameters,
  createCoordinator,
  type Deployment,
  type PostedRequest,
  type PostedStatus,
  type SettlementReport,
  type SkipReason,
  type Submission,
} from './chain/coordinator.ts'
export { type Cursor, createFileCursor } from './chain/cursor.ts'
export { type ContractCall, createSender, type Sender, type SentTransaction } from './chain/sender.ts'
export { type WatchDeps, type WatchTimes, watchRequests } from './chain/watchRequests.ts'
export { readConfig, type WorkerConfig } from './config.ts'
export {
  createWorkerEvents,
  type WorkerEmit,
  type WorkerEventHub,
  type WorkerEventName,
  type WorkerEvents,
} from './events.ts'
export {
  createGatewaySession,
  type GatewaySession,
  type SessionDeps,
  type SessionTimes,
  sessionTimes,
} from './gatewaySession.ts'
export { type Journal, type JournalEntry, type JournalOptions, openJournal } from './journal.ts'
export {
  drainOperator,
  type OperatorDeps,
  type OperatorReadDeps,
  type OperatorStatus,
  type OperatorView,
  type RegisterParameters,
  readOperator,
  registerOperator,
  resumeOperator,
  rotateExecutionKey,
  unbondOperator,
  withdrawEarnings,
  withdrawStake,
} from './operator.ts'
export { type JobDeps, type JobEnd, runJob } from './runJob.ts'
export { sandboxLabels } from './sandbox/hostConfig.ts'
export { prepareRuntime } from './sandbox/prepareRuntime.ts'
export { createProcessSandbox } from './sandbox/processSandbox.ts'
export type { Sandbox, SandboxJob, SandboxRun } from './sandbox/sandbox.ts'
export { sandboxOwner } from './sandbox/sandboxOwner.ts'
export type { SandboxOptions } from './sandbox/sandboxSettings.ts'
export { createOwnSettlement, type OwnSettlement, type SettleDeps } from './settleMyself.ts'
export { createWorker, type Worker, type WorkerDeps, type WorkerState, type WorkerTimes } from './worker.ts'
