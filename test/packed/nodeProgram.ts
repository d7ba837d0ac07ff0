import { strictEqual } from 'node:assert'
import { functionId } from '@peerhost/protocol'
import { connect, createPeerHost, isPeerHostError, verifyResponse } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { privateKeyToAccount } from 'viem/accounts'

// What somebody writes who installed the packages: runs in an empty folder, not in the workspace.
const [gatewayUrl = '', privateKey = '', freeId = '', pricedId = ''] = process.argv.slice(2)
const hex = (text: string) => text as `0x${string}`

strictEqual(typeof deploy, 'function')
strictEqual(functionId('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266', 'weather', 'now').length, 66)
const connection = await connect({ gatewayUrl, account: privateKeyToAccount(hex(privateKey)) })
const peerhost = createPeerHost(connection)
const free = await peerhost.invoke({ functionId: hex(freeId), query: { city: 'Oslo' } })
const refused = await peerhost.invoke({ functionId: hex(pricedId) }).catch((error: unknown) => error)
const paid = await peerhost.invoke({ functionId: hex(pricedId), maxPrice: '0.001' })
const verified = await verifyResponse(connection, { response: paid })
console.log(
  JSON.stringify({
    free: free.status,
    refused: isPeerHostError(refused) && refused.code,
    paid: paid.status,
    outcome: paid.payment?.outcome,
    amount: paid.payment?.amountText,
    verified: verified.ok,
  }),
)
