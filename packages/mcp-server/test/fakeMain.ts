import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createTestServer } from './testServer.ts'

// The real server and the real stdio transport in a process of its own, over the scripted network.
const server = await createTestServer()
server.fake.add({
  name: 'forecast',
  price: 2_000n,
  input: { type: 'object', properties: { city: { type: 'string' } } },
})
serveStdio(server.factory)
process.stdin.once('end', () => void server.close().then(() => process.exit(0)))
