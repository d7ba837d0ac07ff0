import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Writes src/multicall3.generated.ts: the deployed code of Multicall3 (MIT), which most chains have at one address and
 * a fresh anvil has not. viem carries its creation code: a constructor of 32 bytes that returns what follows it.
 */
const viem = dirname(createRequire(import.meta.url).resolve('viem'))
const { multicall3Bytecode } = await import(pathToFileURL(join(viem, 'constants/contracts.js')).href)
const constructorBytes = 32
const runtime = `0x${multicall3Bytecode.slice(2 + constructorBytes * 2)}`
writeFileSync(
  new URL('../src/multicall3.generated.ts', import.meta.url),
  `// Written by scripts/generateMulticall3.ts. Multicall3 is under the MIT licence.\nexport const multicall3RuntimeBytecode =\n  '${runtime}' as const\n`,
)
