/** What native code does that broke out of Node and of its permission model: it runs as the functions’ user, in the container. */
export type NativeProgram = { readonly name: string; readonly script: string; readonly says: string }

const attempts = `
  const fs = require('fs'); const open = []
  const attempt = (name, work) => { try { work(); open.push(name) } catch {} }
  const dial = (name, work) => new Promise((done) => { const over = () => done(); try { const socket = work(() => { open.push(name); done() }); socket.on('error', over) } catch { done() } setTimeout(done, 1500).unref() })
  const say = () => { console.log(JSON.stringify(open)); process.exit() }`

export const nativePrograms: readonly NativeProgram[] = [
  {
    name: 'opens sockets of every kind',
    script: `${attempts}
      const net = require('net'); const dgram = require('dgram'); (async () => {
        for (const host of ['169.254.169.254', '1.1.1.1', '172.17.0.1', '10.0.0.1', 'fd00:ec2::254']) await dial('tcp ' + host, (opened) => net.connect({ host, port: 80 }, opened))
        for (const path of ['/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock', '\\0/tmp/.X11-unix/X0']) await dial('unix ' + path, (opened) => net.connect({ path }, opened))
        for (const address of ['169.254.169.254', '8.8.8.8', '255.255.255.255']) await new Promise((done) => { const socket = dgram.createSocket('udp4'); socket.on('error', done); socket.send('x', 53, address, (error) => { if (!error) open.push('udp ' + address); socket.close(); done() }) })
        await require('dns').promises.lookup('example.com').then(() => open.push('dns'), () => {}); say() })()`,
    says: '[]',
  },
  {
    name: 'writes to `/proc` and `/sys`',
    script: `${attempts}
      for (const path of ['/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/sys/vm/overcommit_memory', '/sys/kernel/uevent_helper', '/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/release_agent', '/proc/1/oom_adj', '/proc/sys/kernel/hostname'])
        attempt(path, () => fs.writeFileSync(path, '1'))
      say()`,
    says: '[]',
  },
  {
    name: 'reads memory and secrets of PID 1 and of the kernel',
    script: `${attempts}
      for (const path of ['/proc/kcore', '/proc/kmem', '/dev/mem', '/dev/kmem', '/proc/keys', '/proc/timer_list', '/proc/sched_debug', '/run/secrets', '/proc/1/mem']) attempt(path, () => { const descriptor = fs.openSync(path, 'r'); if (fs.readSync(descriptor, Buffer.alloc(64), 0, 64, 0) === 0) throw new Error('empty') })
      attempt('environment', () => { if (/SECRET|KEY|TOKEN|PEERHOST/.test(fs.readFileSync('/proc/1/environ', 'utf8'))) return; throw new Error('none') })
      say()`,
    says: '[]',
  },
  {
    name: 'follows symlinks and makes device nodes',
    script: `${attempts}
      const { spawnSync } = require('child_process')
      fs.rmSync('/tmp/link', { force: true }); fs.symlinkSync('/proc/1/root/..', '/tmp/link')
      attempt('host', () => { if (fs.readdirSync('/tmp/link').some((name) => ['home', 'root', 'var', 'boot'].includes(name))) return; throw new Error('the container') })
      fs.rmSync('/tmp/link'); for (const name of ['sda', 'sda1', 'vda', 'nvme0n1', 'kvm', 'fuse', 'net/tun', 'loop0', 'kmsg']) attempt(name, () => fs.closeSync(fs.openSync('/dev/' + name, 'r+')))
      for (const program of ['/bin/mknod', '/bin/mount', '/bin/sh', '/usr/bin/unshare', '/bin/su']) attempt(program, () => { if (spawnSync(program).error) throw new Error('none') })
      say()`,
    says: '[]',
  },
  {
    name: 'becomes another user',
    script: `${attempts}
      for (const [name, ...values] of [['setuid', 0], ['seteuid', 0], ['setgid', 0], ['setgroups', [0]], ['initgroups', 'root', 0]]) attempt(name, () => process[name](...values))
      attempt('priority', () => require('os').setPriority(0, -20)); attempt('chown', () => fs.chownSync('/tmp', 0, 0)); attempt('chroot', () => process.binding('fs').chroot('/tmp')); say()`,
    says: '[]',
  },
  {
    name: 'fills its temporary folder',
    script: `${attempts}
      let bytes = 0; let code; const piece = Buffer.alloc(1 << 20); const descriptor = fs.openSync('/tmp/full', 'w')
      try { while (bytes < 2 ** 31) bytes += fs.writeSync(descriptor, piece) } catch (error) { code = error.code }
      fs.closeSync(descriptor); fs.rmSync('/tmp/full'); console.log(code, bytes <= 64 * 1048576); process.exit()`,
    says: 'ENOSPC true',
  },
]
