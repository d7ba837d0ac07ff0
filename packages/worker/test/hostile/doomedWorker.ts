import { createDockerSandbox } from '../../src/sandbox/dockerSandbox.ts'
import { jobOf } from '../sandbox/jobs.ts'

/** A worker that starts a container, says so, and waits to be killed. */
const [directory = '', owner = ''] = process.argv.slice(2)
const sandbox = await createDockerSandbox({ directory, owner })
await sandbox.warm(jobOf(`exports.default = () => new Response('')`))
console.log('ready')
setInterval(() => {}, 1_000)
