export { createFrameDecoder, encodeFrame, type Frame, type FrameHeader, type FrameLimits } from './frames.ts'
export { functionBuiltins } from './host/builtins.ts'
export {
  type Answer,
  type End,
  type Ended,
  type FromSupervisor,
  type Run,
  readFromSupervisor,
  type Settings,
  supervisorLimits,
  type ThrowReason,
} from './messages.ts'
export { writePrograms } from './programs.ts'
export { createRuntimeRootfs, type RuntimeRootfs, runtimePaths } from './rootfs.ts'
export { type Variation, variationOf, variations } from './variations.ts'
