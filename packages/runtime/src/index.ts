export { createFrameDecoder, encodeFrame, type Frame, type FrameHeader, type FrameLimits } from './frames.ts'
export {
  type Answer,
  type End,
  type Ended,
  type Envelope,
  type Fetch,
  type Fetched,
  type FromSupervisor,
  type Isolation,
  type Run,
  readFromSupervisor,
  type Settings,
  supervisorLimits,
  type ThrowReason,
} from './messages.ts'
export { functionBuiltins } from './nodeHost/builtins.ts'
export { programFiles, writePrograms } from './programs.ts'
export { createRuntimeRootfs, type RuntimeRootfs, runtimePaths } from './rootfs.ts'
export { type Variation, variationOf, variations } from './variations.ts'
