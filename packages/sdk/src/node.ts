export { type BlockStore, createKuboStore, createPinataStore } from '@peerhost/storage'
export { deploy } from './deployment/deploy.ts'
export type { PlannedFunction } from './deployment/plan.ts'
export type { Upload } from './deployment/uploadBlocks.ts'
