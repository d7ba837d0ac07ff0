import { connect, invoke, isPeerHostError, verifyResponse } from '@peerhost/sdk'
import { privateKeyToAccount } from 'viem/accounts'

// What runs in the browser: bundled from the installed packages, called by the test.
type Input = { gatewayUrl: string; privateKey: `0x${string}`; freeId: `0x${string}`; pricedId: `0x${string}` }

async function run({ gatewayUrl, privateKey, freeId, pricedId }: Input) {
  const connection = await connect({ gatewayUrl, account: privateKeyToAccount(privateKey) })
  const free = await invoke(connection, { functionId: freeId, query: { city: 'Tromsø' } })
  const refused = await invoke(connection, { functionId: pricedId }).catch((error: unknown) => error)
  const paid = await invoke(connection, { functionId: pricedId, json: { days: 2 }, maxPrice: '0.001' })
  const verified = await verifyResponse(connection, { response: paid })
  return {
    free: free.status,
    echoed: free.text().includes('Tromsø'),
    freeReceipt: free.receipt?.requestId === free.requestId,
    refused: isPeerHostError(refused) && refused.code,
    paid: paid.status,
    outcome: paid.payment?.outcome,
    amount: paid.payment?.amountText,
    operator: paid.receipt?.attestations[0]?.operator,
    failed: verified.checks.filter(({ ok }) => !ok),
    verified: verified.ok,
  }
}

Object.assign(globalThis, { run })
