import { expect, test } from 'vitest'

test('the root entry exports exactly this', async () => {
  expect(Object.keys(await import('@peerhost/sdk')).sort()).toMatchInlineSnapshot(`
    [
      "PeerHostError",
      "connect",
      "createPeerHost",
      "formatAmount",
      "fundCredit",
      "getCredit",
      "getFunction",
      "getPrice",
      "getRequest",
      "getTranscript",
      "invoke",
      "isPaidCallError",
      "isPeerHostError",
      "listFunctions",
      "parseAmount",
      "pendingPaymentFromJson",
      "quote",
      "receiptFromJson",
      "receiptToJson",
      "requestCreditWithdrawal",
      "resume",
      "setPrice",
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
    ]
  `)
})
