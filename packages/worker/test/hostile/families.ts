import type { HostileFamily } from './hostileProgram.ts'
import { output, protocol } from './programs/answers.ts'
import { carried, othersRequests } from './programs/carried.ts'
import { afterwards, signals } from './programs/endings.ts'
import { escapes } from './programs/escapes.ts'
import { hostTraps } from './programs/hostTraps.ts'
import { files, processes, sockets } from './programs/reach.ts'
import { cpu, memory } from './programs/resources.ts'

export const families: readonly HostileFamily[] = [
  ...[escapes, hostTraps, carried, othersRequests, files, sockets, processes],
  ...[memory, cpu, output, protocol, signals, afterwards],
]
