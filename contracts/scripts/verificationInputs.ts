import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * Writes what a block explorer needs to verify a contract: the compiler's standard JSON input, with this contract's sources
 * and no others. `node contracts/scripts/verificationInputs.ts [--out <folder>] [--check] [<Contract>…]`
 * With `--check` each is compiled, and must give the bytecode that the packages deploy (out/artifacts, which
 * generateArtifacts.ts makes); that takes minutes.
 */
export const deployedContracts = {
  Create3Factory: 'src/deployment/Create3Factory.sol',
  ProtocolParameters: 'src/parameters/ProtocolParameters.sol',
  FunctionRegistry: 'src/functions/FunctionRegistry.sol',
  OperatorRegistry: 'src/operators/OperatorRegistry.sol',
  ExecutionCoordinator: 'src/coordinator/ExecutionCoordinator.sol',
  ConfirmedLane: 'src/lane/ConfirmedLane.sol',
  PaymentEscrow: 'src/escrow/PaymentEscrow.sol',
  DisputeCourt: 'src/court/DisputeCourt.sol',
  ClerksOffice: 'src/court/ClerksOffice.sol',
  Directory: 'src/directory/Directory.sol',
} as const
type ContractName = keyof typeof deployedContracts

const root = fileURLToPath(new URL('..', import.meta.url))
const remapping = ['@openzeppelin/', 'node_modules/@openzeppelin/'] as const

/** The same settings as in foundry.toml. */
const settings = {
  remappings: [remapping.join('=')],
  optimizer: { enabled: true, runs: 1_000 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
  evmVersion: 'cancun',
  viaIR: true,
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
}

type StandardInput = {
  language: 'Solidity'
  sources: Record<string, { content: string }>
  settings: typeof settings
}

/** The standard JSON input of one contract: its file and everything that it imports. */
export function verificationInput(name: ContractName): StandardInput {
  const sources: StandardInput['sources'] = {}
  const waiting: string[] = [deployedContracts[name]]
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (sources[path]) continue
    const content = readFileSync(join(root, path), 'utf8')
    sources[path] = { content }
    for (const [, imported = ''] of content.matchAll(/^import\s[^;"]*"([^"]+)"/gm))
      waiting.push(resolveImport(path, imported))
  }
  const sorted = Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1)))
  return { language: 'Solidity', sources: sorted, settings }
}

/** Writes one file per contract. */
export function writeVerificationInputs(
  folder: string,
  names = Object.keys(deployedContracts) as ContractName[],
): void {
  mkdirSync(folder, { recursive: true })
  for (const name of names)
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(verificationInput(name), null, 1)}\n`)
}

function resolveImport(from: string, imported: string): string {
  if (imported.startsWith('.')) return posix.join(dirname(from), imported)
  return imported.startsWith(remapping[0]) ? imported.replace(remapping[0], remapping[1]) : imported
}

/** Compiles the input, and says whether it gives the code that is deployed. */
function isReproduced(name: ContractName): boolean {
  const solc = createRequire(import.meta.url)('solc') as { compile: (input: string) => string }
  const output = JSON.parse(solc.compile(JSON.stringify(verificationInput(name)))) as {
    contracts?: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>
  }
  const artifact = JSON.parse(readFileSync(join(root, `out/artifacts/${name}.sol/${name}.json`), 'utf8')) as {
    bytecode: { object: string }
  }
  const compiled = output.contracts?.[deployedContracts[name]]?.[name]?.evm.bytecode.object
  return `0x${compiled}` === artifact.bytecode.object
}

function main(argv: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: {
      out: { type: 'string', default: join(root, 'deployments/verification') },
      check: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
  const names = (positionals.length > 0 ? positionals : Object.keys(deployedContracts)) as ContractName[]
  if (!values.check) {
    writeVerificationInputs(values.out, names)
    process.stdout.write(`Written: ${names.length} files in ${values.out}\n`)
    return 0
  }
  let failed = 0
  for (const name of names) {
    const isSame = isReproduced(name)
    if (!isSame) failed += 1
    process.stdout.write(`${isSame ? 'same   ' : 'DIFFERS'} ${name}\n`)
  }
  return failed === 0 ? 0 : 1
}

if (import.meta.filename === process.argv[1]) process.exitCode = main(process.argv.slice(2))
