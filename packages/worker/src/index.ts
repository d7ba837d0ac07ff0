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
export { type AssembledWorker, type AssembleParts, assembleWorker } from './assembleWorker.ts'
export { type BundlesDeps, createBundles, type FetchBundle } from './bundles.ts'
export { type ChainClient, type ChainClientOptions, createChainClient } from './chain/chainClient.ts'
export {
  type Coordinator,
  type CoordinatorDeps,
  createCoordinator,
  type Deployment,
  type ParametersPeriod,
  type RequesterBond,
  type SettlementReport,
  type SignedCommitSet,
  type SkipReason,
} from './chain/coordinator.ts'
export { type Court, createCourt } from './chain/court.ts'
export { type Cursor, createFileCursor } from './chain/cursor.ts'
export {
  createLane,
  type Lane,
  type LaneDeps,
  type LaneEnd,
  type Opening,
  type PostedFacts,
  type PostedRequest,
  type PostedStatus,
} from './chain/lane.ts'
export { createOperators, type EpochFacts, type Operators } from './chain/operators.ts'
export { type EndpointProbe, probeEndpoints } from './chain/probeEndpoints.ts'
export { type ContractCall, createSender, type Sender, type SentTransaction } from './chain/sender.ts'
export { readSuite, type Suite } from './chain/suite.ts'
export { type WatchDeps, type WatchTimes, watchLogs } from './chain/watchLogs.ts'
export { type WatchRequestsDeps, watchRequests } from './chain/watchRequests.ts'
export { type CheckedRun, type CheckedRuns, checkRuns } from './check/checkRuns.ts'
export { type ResultDifference, resultDifferences } from './check/resultDifferences.ts'
export { type OpenSettings, readConfig, readOpenSettings, type WorkerConfig } from './config.ts'
export type { Check } from './doctor/check.ts'
export { runDoctor } from './doctor/runDoctor.ts'
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
export { type Journal, type JournalEntry, type JournalOptions, type JournalVote, openJournal } from './journal.ts'
export { decryptKeystore, encryptKey, isKeystore, keystoreAddress } from './keys/keystore.ts'
export { readSecretFile, writeKeystoreFile } from './keys/keystoreFile.ts'
export { type PasswordSources, readFirstLine, readKeystorePassword } from './keys/keystorePassword.ts'
export { type ReplaceParameters, replaceExecutionKey } from './keys/replaceExecutionKey.ts'
export { openConfig } from './openConfig.ts'
export {
  addStake,
  drainOperator,
  type OperatorDeps,
  type OperatorReadDeps,
  type OperatorStatus,
  type OperatorView,
  type RegisterParameters,
  readOperator,
  registerOperator,
  releaseOperator,
  resumeOperator,
  revokeExecutionKey,
  rotateExecutionKey,
  setCapacity,
  unbondOperator,
  withdrawCourtBalance,
  withdrawEarnings,
  withdrawStake,
} from './operator.ts'
export { type JobDeps, type JobEnd, runJob } from './runJob.ts'
export { createWorkerLog, type RunWorkerDeps, runWorker } from './runWorker.ts'
export { createDockerSandbox } from './sandbox/dockerSandbox.ts'
export type { Egress, EgressAnswer, EgressCall } from './sandbox/egress.ts'
export type { SealEnvironment } from './sandbox/environment.ts'
export { sandboxLabels } from './sandbox/hostConfig.ts'
export { JURY_RUNS } from './sandbox/juryRuns.ts'
export { prepareRuntime } from './sandbox/prepareRuntime.ts'
export { createProcessSandbox } from './sandbox/processSandbox.ts'
export { runVaried, type VariedRuns } from './sandbox/runVaried.ts'
export type { Sandbox, SandboxJob, SandboxRun } from './sandbox/sandbox.ts'
export { sandboxOwner } from './sandbox/sandboxOwner.ts'
export type { SandboxOptions } from './sandbox/sandboxSettings.ts'
export { createOwnSettlement, type OwnSettlement, type SettleDeps } from './settleMyself.ts'
export { type LocalWorker, readStatus, type WorkerStatus } from './status/readStatus.ts'
export { type StatusReason, statusReasonCodes } from './status/statusReasons.ts'
export { createWorker, type Worker, type WorkerState } from './worker.ts'
export {
  createWorkerDirectory,
  type InitialSettings,
  readWorkerSettings,
  type WorkerDirectory,
  workerDirectory,
} from './workerDirectory.ts'
export type { WorkerDeps, WorkerTimes } from './workerParts.ts'
