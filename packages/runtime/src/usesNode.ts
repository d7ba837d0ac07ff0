const directive = /^\s*(["'])use node\1/

/**
 * Whether a bundle asks for Node's own modules: its first statement is the directive "use node". Others get the web
 * platform alone, the same at every level of isolation.
 */
export function usesNode(bundle: Uint8Array): boolean {
  return directive.test(Buffer.from(bundle.buffer, bundle.byteOffset, Math.min(bundle.length, 64)).toString('latin1'))
}
