export type { BlockSource, BlockStore } from './blockStore.ts'
export { createDiskStore, type DiskStoreParameters } from './createDiskStore.ts'
export { type BlockUploadTypedData, createGatewayStore, type GatewayStoreParameters } from './createGatewayStore.ts'
export { createHttpSource, type HttpSourceParameters } from './createHttpSource.ts'
export { createKuboStore, type KuboStoreParameters } from './createKuboStore.ts'
export { createPinataStore, type PinataStoreParameters } from './createPinataStore.ts'
export {
  type FetchBlockParameters,
  type FetchedBlock,
  fetchBlock,
  type RejectedSource,
} from './fetchBlock.ts'
export { blockCid, hashBlock } from './hashBlock.ts'
