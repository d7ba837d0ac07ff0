import type { IsolationLevel } from '@peerhost/protocol'
import { createDockerSandbox } from '../../src/sandbox/dockerSandbox.ts'
import { jobOf, requestOf, soon } from '../sandbox/jobs.ts'
import { atLevel } from './levels.ts'

/** A worker that executes for ever in two containers, says so, and waits to be killed. */
const [directory = '', owner = '', level = 'process'] = process.argv.slice(2)
const sandbox = await createDockerSandbox({ directory, owner, slots: 2 })
const jobs = ['a', 'b'].map((name) =>
  atLevel(
    jobOf(
      `exports.default = async () => { await new Promise((done) => setTimeout(done, 50)); return new Response('${name}') }`,
    ),
    level as IsolationLevel,
  ),
)
await Promise.all(jobs.map((job) => sandbox.run(job, soon())))
for (const job of jobs)
  void (async () => {
    for (let n = 0; ; n += 1) await sandbox.run({ ...job, request: requestOf({ path: `/${n}` }) }, soon())
  })()
console.log('ready')
