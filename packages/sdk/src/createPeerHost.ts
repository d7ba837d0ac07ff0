import { bondFunction } from './actions/bondFunction.ts'
import { deleteSecret } from './actions/deleteSecret.ts'
import { fundCredit } from './actions/fundCredit.ts'
import { getCredit } from './actions/getCredit.ts'
import { getEscrow } from './actions/getEscrow.ts'
import { getFunction } from './actions/getFunction.ts'
import { getPrice } from './actions/getPrice.ts'
import { getRequest } from './actions/getRequest.ts'
import { getTranscript } from './actions/getTranscript.ts'
import { invoke } from './actions/invoke.ts'
import { listFunctions } from './actions/listFunctions.ts'
import { listSecrets } from './actions/listSecrets.ts'
import { quote } from './actions/quote.ts'
import { relayAction } from './actions/relayAction.ts'
import { requestCreditWithdrawal } from './actions/requestCreditWithdrawal.ts'
import { resume } from './actions/resume.ts'
import { setPrice } from './actions/setPrice.ts'
import { setSecret } from './actions/setSecret.ts'
import { signRelayedAction } from './actions/signRelayedAction.ts'
import { unbondFunction } from './actions/unbondFunction.ts'
import { verifyReceipt } from './actions/verifyReceipt.ts'
import { verifyResponse } from './actions/verifyResponse.ts'
import { withdrawCredit } from './actions/withdrawCredit.ts'
import type { Connection } from './connection.ts'

/**
 * Binds every action to one connection, for those who prefer methods; the actions are the same functions.
 *
 * @example
 * import { connect, createPeerHost } from '@peerhost/sdk'
 * const peerhost = createPeerHost(await connect({ gatewayUrl: 'http://localhost:8402' }))
 * const { functions } = await peerhost.listFunctions({ priced: true })
 */
export function createPeerHost(connection: Connection) {
  return {
    connection,
    listFunctions: (parameters?: listFunctions.Parameters) => listFunctions(connection, parameters),
    getFunction: (parameters: getFunction.Parameters) => getFunction(connection, parameters),
    getPrice: (parameters: getPrice.Parameters) => getPrice(connection, parameters),
    setPrice: (parameters: setPrice.Parameters) => setPrice(connection, parameters),
    quote: (parameters: quote.Parameters) => quote(connection, parameters),
    invoke: (parameters: invoke.Parameters) => invoke(connection, parameters),
    resume: (parameters: resume.Parameters) => resume(connection, parameters),
    getRequest: (parameters: getRequest.Parameters) => getRequest(connection, parameters),
    getTranscript: (parameters: getTranscript.Parameters) => getTranscript(connection, parameters),
    verifyReceipt: (parameters: verifyReceipt.Parameters) => verifyReceipt(connection, parameters),
    verifyResponse: (parameters: verifyResponse.Parameters) => verifyResponse(connection, parameters),
    getCredit: (parameters?: getCredit.Parameters) => getCredit(connection, parameters),
    fundCredit: (parameters: fundCredit.Parameters) => fundCredit(connection, parameters),
    requestCreditWithdrawal: (parameters: requestCreditWithdrawal.Parameters) =>
      requestCreditWithdrawal(connection, parameters),
    getEscrow: (parameters: getEscrow.Parameters) => getEscrow(connection, parameters),
    bondFunction: (parameters: bondFunction.Parameters) => bondFunction(connection, parameters),
    unbondFunction: (parameters: unbondFunction.Parameters) => unbondFunction(connection, parameters),
    signRelayedAction: (parameters: signRelayedAction.Parameters) => signRelayedAction(connection, parameters),
    relayAction: (parameters: relayAction.Parameters) => relayAction(connection, parameters),
    setSecret: (parameters: setSecret.Parameters) => setSecret(connection, parameters),
    listSecrets: (parameters: listSecrets.Parameters) => listSecrets(connection, parameters),
    deleteSecret: (parameters: deleteSecret.Parameters) => deleteSecret(connection, parameters),
    withdrawCredit: (parameters?: withdrawCredit.Parameters) => withdrawCredit(connection, parameters),
  }
}

export type PeerHost = ReturnType<typeof createPeerHost>
