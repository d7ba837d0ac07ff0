export {
  type AssuranceLevel,
  type ErrorCode,
  isPeerHostError,
  PeerHostError,
  type Receipt,
  receiptFromJson,
  receiptToJson,
} from '@peerhost/protocol'
export { bondFunction } from './actions/bondFunction.ts'
export { connect } from './actions/connect.ts'
export { deleteSecret } from './actions/deleteSecret.ts'
export { fundCredit } from './actions/fundCredit.ts'
export { getCredit } from './actions/getCredit.ts'
export { getEscrow } from './actions/getEscrow.ts'
export { getFunction } from './actions/getFunction.ts'
export { getPrice } from './actions/getPrice.ts'
export { getRequest } from './actions/getRequest.ts'
export { getTranscript } from './actions/getTranscript.ts'
export { invoke } from './actions/invoke.ts'
export { listFunctions } from './actions/listFunctions.ts'
export { listSecrets } from './actions/listSecrets.ts'
export { quote } from './actions/quote.ts'
export { relayAction } from './actions/relayAction.ts'
export { requestCreditWithdrawal } from './actions/requestCreditWithdrawal.ts'
export { resume } from './actions/resume.ts'
export { setPrice } from './actions/setPrice.ts'
export { setSecret } from './actions/setSecret.ts'
export { signRelayedAction } from './actions/signRelayedAction.ts'
export { unbondFunction } from './actions/unbondFunction.ts'
export { verifyReceipt } from './actions/verifyReceipt.ts'
export { type ResponseCheck, verifyResponse } from './actions/verifyResponse.ts'
export { withdrawCredit } from './actions/withdrawCredit.ts'
export { formatAmount, parseAmount } from './amount.ts'
export type { Call, CallParameters } from './call.ts'
export type { Connection, Fetch } from './connection.ts'
export { createPeerHost, type PeerHost } from './createPeerHost.ts'
export type { FunctionCard } from './functionCard.ts'
export type { NetworkInfo } from './network.ts'
export type { Quote } from './payment/chooseRequirement.ts'
export type { EscrowOffer } from './payment/escrowOffer.ts'
export {
  isPaidCallError,
  type PaidCallError,
  type PaymentOutcome,
  type PendingPayment,
  pendingPaymentFromJson,
} from './payment/pendingPayment.ts'
export type { InvokeResponse, PaymentResult } from './response.ts'
export type { Settlement } from './verification/findSettlement.ts'
