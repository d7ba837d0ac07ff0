/** Starts a devnet, says so, and waits to be killed. */
import { startDevnet } from '../src/startDevnet.ts'

const [directory = '', dockerSocket = ''] = process.argv.slice(2)
const { gatewayUrl } = await startDevnet({ directory, dockerSocket, workers: 1 })
process.stdout.write(gatewayUrl)
setInterval(() => {}, 1_000)
