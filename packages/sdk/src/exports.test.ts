import { expect, test } from 'vitest'

test('the root entry exports exactly this', async () => {
  expect(Object.keys(await import('@peerhost/sdk')).sort()).toMatchInlineSnapshot(`
    [
      "PeerHostError",
      "bondFunction",
      "connect",
      "createPeerHost",
      "deleteSecret",
      "formatAmount",
      "fundCredit",
      "getCredit",
      "getEscrow",
      "getFunction",
      "getPrice",
      "getRequest",
      "getTranscript",
      "invoke",
      "isPaidCallError",
      "isPeerHostError",
      "listFunctions",
      "listSecrets",
      "parseAmount",
      "pendingPaymentFromJson",
      "quote",
      "receiptFromJson",
      "receiptToJson",
      "relayAction",
      "requestCreditWithdrawal",
      "resume",
      "setPrice",
      "setSecret",
      "signRelayedAction",
      "unbondFunction",
      "verifyReceipt",
      "verifyResponse",
      "withdrawCredit",
    ]
  `)
})

test('the Node entry exports exactly this', async () => {
  expect(Object.keys(await import('@peerhost/sdk/node')).sort()).toMatchInlineSnapshot(`
    [
      "createKuboStore",
      "createPinataStore",
      "deploy",
      "projectNameOf",
    ]
  `)
})
