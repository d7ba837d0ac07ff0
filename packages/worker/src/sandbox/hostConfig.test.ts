import { LIMITS_CLASSES } from '@peerhost/protocol'
import { expect, test } from 'vitest'
import { containerSettings } from './hostConfig.ts'

const terms = {
  image: 'sha256:image',
  deployment: '0x01:1',
  limits: LIMITS_CLASSES[0],
  slots: 2,
  machineCpus: 8,
  owner: 'me',
}

test('every field of the container', () => {
  expect(containerSettings(terms)).toMatchInlineSnapshot(`
    {
      "AttachStderr": true,
      "AttachStdin": true,
      "AttachStdout": true,
      "Cmd": [
        "/bin/node",
        "--disable-sigusr1",
        "--no-warnings",
        "--v8-pool-size=1",
        "--max-old-space-size=64",
        "/runtime/supervisor.cjs",
      ],
      "Env": [],
      "HostConfig": {
        "AutoRemove": true,
        "CapDrop": [
          "ALL",
        ],
        "IpcMode": "private",
        "LogConfig": {
          "Config": {},
          "Type": "none",
        },
        "Memory": 436207616,
        "MemorySwap": 436207616,
        "NanoCpus": 2000000000,
        "NetworkMode": "none",
        "OomScoreAdj": 500,
        "PidsLimit": 144,
        "Privileged": false,
        "ReadonlyRootfs": true,
        "RestartPolicy": {
          "Name": "no",
        },
        "SecurityOpt": [
          "no-new-privileges",
        ],
        "Tmpfs": {
          "/tmp": "rw,noexec,nosuid,nodev,size=16777216,mode=0700,uid=65534,gid=65534",
        },
        "Ulimits": [
          {
            "Hard": 0,
            "Name": "core",
            "Soft": 0,
          },
          {
            "Hard": 1024,
            "Name": "nofile",
            "Soft": 1024,
          },
        ],
      },
      "Hostname": "function",
      "Image": "sha256:image",
      "Labels": {
        "peerhost.deployment": "0x01:1",
        "peerhost.owner": "me",
        "peerhost.sandbox": "1",
      },
      "NetworkDisabled": true,
      "OpenStdin": true,
      "StdinOnce": true,
      "Tty": false,
      "User": "65534:65534",
      "WorkingDir": "/",
    }
  `)
})

test('another runtime is named only when it was asked for', () => {
  expect(containerSettings({ ...terms, containerRuntime: 'runsc' }).HostConfig).toMatchObject({ Runtime: 'runsc' })
})

test('a container is not given more cores than the machine has', () => {
  expect(containerSettings({ ...terms, slots: 8, machineCpus: 2 }).HostConfig.NanoCpus).toBe(2e9)
})

test.each(LIMITS_CLASSES)('$name leaves room for every execution and for what serves them', (limits) => {
  const { HostConfig } = containerSettings({ ...terms, limits, slots: 4 })
  expect(HostConfig.Memory).toBeGreaterThan(4 * limits.memoryBytes)
  expect(HostConfig.PidsLimit).toBeGreaterThan(4 * limits.pids)
})
