import type { OpenSettings } from '../config.ts'
import type { Engine, EngineDescription } from '../sandbox/docker.ts'
import { findRuntimeImage } from '../sandbox/runtimeImage.ts'
import { type Check, fail, ok, problemOf, warn } from './check.ts'

type Settings = Pick<OpenSettings, 'sandbox' | 'containerRuntime' | 'runtimeDirectory'>

/** The Docker engine, the runtime image in it, and what it does for isolation. */
export async function checkEngine(engine: Engine, settings: Settings): Promise<Check[]> {
  if (settings.sandbox !== 'docker')
    return [fail('engine', 'PEERHOST_SANDBOX is not docker: nothing is isolated.', 'Set PEERHOST_SANDBOX=docker.')]
  try {
    const description = await engine.describe()
    return [
      ok('engine', `Docker ${description.version}`),
      ...checkIsolation(description, settings),
      await checkImage(engine, settings),
    ]
  } catch (error) {
    const next = 'Start it and let this user use it: `docker info` must answer.'
    return [fail('engine', problemOf(error), next)]
  }
}

/** What the engine can enforce, against what the sandbox asks of it. Pure. */
export function checkIsolation(
  { limits, securityOptions, runtimes, defaultRuntime }: EngineDescription,
  { containerRuntime }: Pick<Settings, 'containerRuntime'>,
): Check[] {
  const missing = (['memory', 'pids', 'cpu'] as const).filter((limit) => !limits[limit])
  const hasSeccomp = securityOptions.some((option) => option.startsWith('name=seccomp'))
  const runtime = containerRuntime ?? defaultRuntime
  const cgroups = 'Boot with cgroups v2, or enable the controllers that are missing.'
  return [
    missing.length > 0
      ? fail('limits', `The engine cannot limit ${missing.join(', ')}.`, cgroups)
      : limits.swap
        ? ok('limits', 'memory, swap, pids, cpu')
        : warn('limits', 'The engine cannot limit swap: functions may use it beyond their memory.', 'Turn swap off.'),
    hasSeccomp
      ? ok('seccomp', 'The engine’s profile is in force.')
      : fail('seccomp', 'The engine filters no system calls.', 'Use an engine with seccomp.'),
    runtimes.includes(runtime)
      ? checkRuntime(runtime)
      : fail(
          'container runtime',
          `The engine does not know “${runtime}”: it has ${runtimes.join(', ')}.`,
          'Install it and name it in /etc/docker/daemon.json, or unset PEERHOST_CONTAINER_RUNTIME.',
        ),
  ]
}

function checkRuntime(runtime: string): Check {
  if (!['runc', 'io.containerd.runc.v2'].includes(runtime)) return ok('container runtime', runtime)
  const next =
    'Keep the kernel patched and the machine for this alone, or set PEERHOST_CONTAINER_RUNTIME to runsc or kata.'
  return warn('container runtime', `${runtime}: functions share this machine’s kernel.`, next)
}

async function checkImage(engine: Engine, { runtimeDirectory }: Settings): Promise<Check> {
  const id = await findRuntimeImage(engine, runtimeDirectory)
  if (id) return ok('runtime image', id)
  return warn('runtime image', 'The engine does not have it yet.', 'Nothing: the worker makes it when it starts.')
}
