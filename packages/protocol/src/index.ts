export {
  confirmedLaneAbi,
  directoryAbi,
  disputeCourtAbi,
  executionCoordinatorAbi,
  functionRegistryAbi,
  operatorRegistryAbi,
  paymentEscrowAbi,
  protocolParametersAbi,
  testUsdcAbi,
} from './abi.generated.ts'
export { type Attestation, attestationTypes, hashAttestation, type Seat, seatNumber, seats } from './attestation.ts'
export { type BatchRoll, batchRollTypes, hashBatchRoll, rollRoot } from './batchRoll.ts'
export { type BlockUpload, blockUploadTypes, hashBlockUpload } from './blockUpload.ts'
export { type CanonicalBody, decodeBody, encodeBody, fromBase64, toBase64 } from './body.ts'
export { cidToDigest, digestToCid } from './bundle.ts'
export { type CanonicalValue, decodeCanonicalJson, encodeCanonicalJson, sameBytes } from './canonicalJson.ts'
export {
  type CommitSet,
  commitment,
  commitSetTypes,
  hashCommitSet,
  hashSignedCommitment,
  type SignedCommitment,
  signedCommitmentTypes,
} from './commitment.ts'
export {
  DEPLOYMENT_FLAGS,
  ISOLATION_LEVELS,
  type IsolationLevel,
  isolationFlags,
  isolationOf,
} from './deploymentFlags.ts'
export { eip712Domain, epochAt, PROTOCOL_VERSION, type ProtocolDomain, zeroBytes32 } from './domain.ts'
export {
  canonicalEgressCall,
  decodeEgressCall,
  type EgressCall,
  encodeEgressCall,
  hashEgressCall,
  isEgressHeader,
  type RawEgressCall,
} from './egressCall.ts'
export {
  decodeEgressAnswer,
  type EgressAnswer,
  type EgressRefusal,
  type EgressRefusalCode,
  type EgressTranscript,
  egressRefusalCodes,
  egressTranscriptTypes,
  encodeEgressAnswer,
  hashEgressAnswer,
  hashEgressTranscript,
} from './egressTranscript.ts'
export {
  type EnvelopeRecipient,
  environmentContext,
  environmentEnvelopeTypes,
  hashEnvironmentEnvelope,
  type SealedEnvironment,
} from './environmentEnvelope.ts'
export {
  type ErrorCode,
  errorCodes,
  isErrorCode,
  isPeerHostError,
  PeerHostError,
  type PeerHostErrorOptions,
} from './errors.ts'
export { depositAddress, type EscrowTerms, escrowTermsTypes, hashEscrowTerms } from './escrowTerms.ts'
export { type ExecutionKeyProof, executionKeyProofTypes, hashExecutionKeyProof } from './executionKey.ts'
export { executionSeed } from './executionSeed.ts'
export { assertFunctionName, assertProjectName, functionId } from './functionId.ts'
export { type GatewayWelcome, gatewayWelcomeTypes, hashGatewayWelcome } from './gatewayWelcome.ts'
export { canonicalHeaders, type HeaderPair, isRequestHeader, isResponseHeader } from './headers.ts'
export { LIMITS, LIMITS_CLASSES, type LimitsClass, limitsClass } from './limits.ts'
export {
  accessTo,
  fillSecrets,
  type HostAccess,
  type NetworkAccess,
  networkAccessSchema,
  secretsOf,
} from './networkAccess.ts'
export { decodeSettlement, encodeSettlement } from './packedBatch.ts'
export {
  DEFAULT_PARAMETERS,
  DEFAULT_TIMES,
  type ProtocolParameters,
  type ProtocolTimes,
} from './parameters.ts'
export { canonicalPath, canonicalQuery, formatQuery, type QueryPair } from './path.ts'
export { type PaymentKey, type PaymentMode, paymentId, paymentModeNumber, paymentModes } from './payment.ts'
export {
  type AssuranceLevel,
  attestationSchema,
  checkReceipt,
  decodeReceiptHeader,
  encodeReceiptHeader,
  type PaymentRecord,
  type Receipt,
  type ReceiptCheck,
  type ReceiptCheckName,
  receiptFromJson,
  receiptToJson,
  type SettlementRecord,
  type SignedAttestation,
  sameHex,
  ticketSchema,
} from './receipt.ts'
export { hashRelayedAction, type RelayedAction, relayedActionTypes } from './relayedAction.ts'
export {
  type CanonicalRequest,
  canonicalRequest,
  decodeRequest,
  encodeRequest,
  hashInput,
  type RawRequest,
} from './request.ts'
export {
  type CanonicalResult,
  canonicalResult,
  decodeResult,
  encodeResult,
  failedResult,
  hashResult,
  isResourceOutcome,
  type Outcome,
  outcomeNumber,
  outcomeOf,
  outcomeStatus,
  outcomes,
  type RawResult,
} from './result.ts'
export { seal } from './seal.ts'
export { lot, seatSubject, wins } from './seatDraw.ts'
export { hashSecretAction, type SecretAction, secretActions, secretActionTypes } from './secretAction.ts'
export { environmentNamesSchema, isSecretName } from './secretName.ts'
export { type SettledRequest, settledRequests, settlementEvents } from './settledRequests.ts'
export {
  type ExecutedAttestation,
  type ExecutedRequest,
  type PlannedSettlement,
  planSettlement,
  rollsOf,
  type SettlementBatch,
  type SettlementGroup,
  type SettlementItem,
  type SettlementSeating,
  withRolls,
} from './settlement.ts'
export { createDigestSigner, type DigestSigner, isStrictSignature, pureSigning, type Signing } from './signing.ts'
export { type Lane, laneNumber, lanes, requestId, type Ticket, ticketTypes } from './ticket.ts'
export { trustedWorkersSchema } from './trustedWorkers.ts'
export { caseId, type Vote, type VoteName, voteCommitment, voteNumber, votes } from './vote.ts'
export {
  type DeclineReason,
  declineReasons,
  decodeGatewayMessage,
  decodeWorkerMessage,
  encodeWire,
  type GatewayMessage,
  type Usage,
  type WorkerMessage,
} from './wire.ts'
export { hashWorkerHello, type WorkerHello, workerHelloTypes } from './workerHello.ts'
