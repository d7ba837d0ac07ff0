import { createHash } from 'node:crypto'
import vm from 'node:vm'

/** A bundle as a script that gives its function of `exports`, `require` and `module`, or why there is none. */
export type CompiledBundle =
  | { readonly script: vm.Script; readonly seed: string }
  | { readonly failure: string; readonly seed: string }

/**
 * Compiles a bundle once for all realms of this process. `seed` is the chance that the module's scope sees: the bundle's
 * own digest, since it runs before there is a ticket.
 */
export function compileBundle(bundle: Uint8Array): CompiledBundle {
  const seed = `0x${createHash('sha256').update(bundle).digest('hex')}`
  try {
    const source = new TextDecoder('utf-8', { fatal: true }).decode(bundle)
    // Only what is a function's body by itself: it must not end the wrapper and begin before the realm does.
    vm.compileFunction(source, ['exports', 'require', 'module'])
    const script = new vm.Script(`(function (exports, require, module) {${source}\n})`, {
      filename: 'function.js',
      importModuleDynamically: refuseImport,
    })
    return { script, seed }
  } catch (error) {
    return { failure: `${String((error as Error).stack ?? error)}\n`, seed }
  }
}

let refusals = 0

/** How often an `import()` was refused in this process: whoever asked has yet to hear of it. */
export function importRefusals(): number {
  return refusals
}

/** Rejects with a text: an error of the host would be an object of the host. */
export function refuseImport(): never {
  refusals += 1
  throw 'import() is not available to functions.'
}
