/** Starts one managed process, prints the process ids that must not outlive this one, and waits to be killed. */
import { startManagedProcess } from '../src/managedProcess.ts'

const [entry, logFile = ''] = process.argv.slice(2)
const server = 'data:text/javascript,setInterval(()=>{},1000);process.send({type:"ready",pid:process.pid})'
const managed = await startManagedProcess({
  name: 'child',
  entry: entry === 'guard' ? 'guard' : 'launch',
  args: entry === 'guard' ? ['sleep', '600'] : [server],
  logFile,
  parseReady: (message) => (message as { pid?: number }).pid,
  readyTimeoutMs: 10_000,
})
process.stdout.write(JSON.stringify([managed.pid, managed.ready]))
setInterval(() => {}, 1_000)
