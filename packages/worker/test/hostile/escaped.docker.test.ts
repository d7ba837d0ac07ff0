import { afterEach, beforeEach, expect, test } from 'vitest'
import { sandboxLabels } from '../../src/sandbox/hostConfig.ts'
import type { Sandbox, SandboxJob } from '../../src/sandbox/sandbox.ts'
import { containersWith, createTestSandbox, engineCall, runInside } from '../sandbox/dockerEngine.ts'
import { jobOf, read, requestOf, smallLimits, soon } from '../sandbox/jobs.ts'

/** What native code could do inside a container, had it broken out of Node and of the permission model. */

let sandbox: Sandbox
beforeEach(async () => {
  sandbox = await createTestSandbox()
})
afterEach(() => sandbox.close())

const fine = async (job: SandboxJob) => read(await sandbox.run(job, soon()))
const containerOf = async (job: SandboxJob) =>
  (await containersWith(`${sandboxLabels.deployment}=${job.deployment}`))[0]

async function inhabited(source = `exports.default = () => new Response('fine')`, limits = smallLimits) {
  const job = jobOf(source, { limits })
  await sandbox.warm(job)
  const container = await containerOf(job)
  if (!container) throw new Error('There is no container.')
  return { job, container }
}

test('no signal ends PID 1', async () => {
  const { job, container } = await inhabited()
  const wrote = await runInside(
    container,
    `let sent = 0; for (let signal = 1; signal <= 64; signal += 1) try { process.kill(1, signal); sent += 1 } catch {}; console.log(sent)`,
  )
  expect(Number(wrote)).toBeGreaterThan(50)
  expect(await fine(job)).toMatchObject({ text: 'fine' })
  expect(await containerOf(job)).toBe(container)
})

test('it is nobody, sees no users, no network and no writable file, and has no right at all', async () => {
  const { container } = await inhabited()
  const wrote = await runInside(
    container,
    `const fs = require('fs'); const attempt = (work) => { try { return work() } catch (error) { return error.code } }
     const status = fs.readFileSync('/proc/self/status', 'utf8')
     console.log(JSON.stringify({ uid: process.getuid(), gid: process.getgid(),
       users: attempt(() => fs.readFileSync('/etc/passwd', 'utf8')), write: attempt(() => fs.writeFileSync('/runtime/host.cjs', '')),
       root: attempt(() => fs.writeFileSync('/x', '')), shell: attempt(() => fs.readFileSync('/bin/sh')),
       run: (fs.writeFileSync('/tmp/x', '#!/bin/node', { mode: 0o755 }), require('child_process').spawnSync('/tmp/x').error.code),
       networks: Object.keys(require('os').networkInterfaces()), capabilities: /CapEff:\\s*(\\w+)/.exec(status)[1],
       bounding: /CapBnd:\\s*(\\w+)/.exec(status)[1], noNewPrivileges: /NoNewPrivs:\\s*(\\d)/.exec(status)[1], seccomp: /Seccomp:\\s*(\\d)/.exec(status)[1] }))`,
  )
  expect(JSON.parse(wrote)).toEqual({
    uid: 65_534,
    gid: 65_534,
    users: 'ENOENT',
    write: 'EROFS',
    root: 'EROFS',
    shell: 'ENOENT',
    run: 'EACCES',
    networks: ['lo'],
    capabilities: '0000000000000000',
    bounding: '0000000000000000',
    noNewPrivileges: '1',
    seccomp: '2',
  })
})

test('what takes all memory is taken by the kernel, and PID 1 never is', async () => {
  const { job, container } = await inhabited()
  const seen = JSON.parse(
    await runInside(
      container,
      `const fs = require('fs'); const read = (path) => { try { return fs.readFileSync(path, 'utf8') } catch { return '' } }
       const scores = fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name) && name !== String(process.pid)).map((pid) => [Number(pid), Number(read('/proc/' + pid + '/oom_score_adj'))])
       console.log(JSON.stringify({ first: scores.find(([pid]) => pid === 1)[1], hosts: scores.filter(([pid]) => pid !== 1).map(([, score]) => score),
         counter: /^oom_kill 0$/m.test(read('/sys/fs/cgroup/memory.events') + read('/sys/fs/cgroup/memory/memory.oom_control')) }))`,
    ),
  )
  expect(seen).toEqual({ first: 500, hosts: [1_000, 1_000], counter: true })
  const wrote = await runInside(container, `console.log('began'); console.log(Buffer.alloc(2 ** 31, 1).length)`)
  expect(wrote).toBe('began\n')
  expect(await fine(job)).toMatchObject({ text: 'fine' })
  expect(await containerOf(job)).toBe(container)
})

test('a process that outlives its execution is killed, and its container is replaced', async () => {
  const { job, container } = await inhabited()
  await runInside(
    container,
    `require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' }).unref(); process.exit()`,
  )
  expect(await fine(job)).toMatchObject({ text: 'fine' })
  await expect
    .poll(() => containersWith(`${sandboxLabels.deployment}=${job.deployment}`), { timeout: 10_000 })
    .not.toContain(container)
  expect(await fine(job)).toMatchObject({ text: 'fine' })
})

test('a fork bomb fills its own container only', async () => {
  const { job, container } = await inhabited()
  const { job: neighbour } = await inhabited()
  const wrote = await runInside(
    container,
    `const { spawn } = require('child_process'); let alive = 0
     const bomb = () => { const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
       child.on('spawn', () => { alive += 1; bomb() }); child.on('error', (error) => { console.log(error.code); process.exit() }) }
     bomb()`,
  )
  expect(wrote).toMatch(/EAGAIN|ENOMEM/)
  expect(await fine(neighbour)).toMatchObject({ text: 'fine' })
  expect(await fine(job)).toMatchObject({ text: 'fine' })
  expect(await fine(job)).toMatchObject({ text: 'fine' })
})

test("garbage on PID 1's own output ends that container and nothing else", async () => {
  const { job, container } = await inhabited()
  const { job: neighbour } = await inhabited()
  await runInside(
    container,
    `const fs = require('fs'); for (const at of [0, 1, 2]) try { fs.writeFileSync('/proc/1/fd/' + at, Buffer.alloc(65536, 255)) } catch {}`,
  )
  expect(await fine(job)).toMatchObject({ text: 'fine' })
  expect(await fine(neighbour)).toMatchObject({ text: 'fine' })
})

test('an execution whose container dies is run again in a new one', async () => {
  const slow = `"use node"; exports.default = async (r) => { if (r.url.endsWith('/slow')) await new Promise((done) => setTimeout(done, 1500)); return new Response('fine') }`
  const { job, container } = await inhabited(slow)
  const running = sandbox.run({ ...job, request: requestOf({ path: '/slow' }) }, soon())
  await new Promise((done) => setTimeout(done, 300))
  await engineCall('POST', `/containers/${container}/kill`)
  expect(read(await running)).toMatchObject({ outcome: 'completed', text: 'fine' })
  expect(await containerOf(job)).not.toBe(container)
})

test('an execution whose containers keep dying fails with a name', async () => {
  const { job } = await inhabited(
    `"use node"; exports.default = () => new Promise((done) => setTimeout(() => done(new Response('never')), 4000))`,
  )
  let stopped = false
  const killing = (async () => {
    while (!stopped) {
      for (const id of await containersWith(`${sandboxLabels.deployment}=${job.deployment}`))
        await engineCall('POST', `/containers/${id}/kill`)
      await new Promise((done) => setTimeout(done, 100))
    }
  })()
  await expect(sandbox.run(job, soon())).rejects.toMatchObject({ code: 'sandbox_unavailable' })
  stopped = true
  await killing
})
