import { closeSync, readSync, writeSync } from 'node:fs'
import {
  encodeFrame,
  type Frame,
  type FrameLimits,
  framePrefixBytes,
  readFramePayload,
  readFramePrefix,
} from './frames.ts'
import { standStill } from './standStill.ts'

/** Where a host reads what it is to do, and where it writes what came out. */
export const jobDescriptor = 0
export const answerDescriptor = 3

/** Reads one frame and blocks until it is there: a host that waits has nothing else to do. */
export function readFrame(limits: FrameLimits): Frame {
  const { headerBytes, bodyBytes } = readFramePrefix(readExactly(framePrefixBytes), limits)
  return readFramePayload(readExactly(headerBytes + bodyBytes), headerBytes)
}

/** Writes one frame to the supervisor and blocks until it is taken. */
export function writeFrame(header: object, body?: Uint8Array): void {
  writeFully(answerDescriptor, encodeFrame(header, body))
}

/** Says that the log is complete. */
export function closeLogs(): void {
  for (const descriptor of [1, 2]) {
    try {
      closeSync(descriptor)
    } catch {}
  }
}

/** Writes all bytes, however often the pipe is full. */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; )
    written += retrying(() => writeSync(descriptor, bytes, written, bytes.length - written))
}

function readExactly(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let filled = 0; filled < length; ) {
    const count = retrying(() => readSync(jobDescriptor, bytes, filled, length - filled, null))
    if (count === 0) throw new Error('The supervisor hung up.')
    filled += count
  }
  return bytes
}

function retrying(attempt: () => number): number {
  for (;;) {
    try {
      return attempt()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      standStill(1)
    }
  }
}
