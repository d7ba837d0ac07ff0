import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Abi, encodeFunctionData, type Hex } from 'viem'
import type { BenchChain } from './gasNetwork.ts'

/** Gas of one request of the stand-in: its second one, whose counter is warm as it would be in use. */
export async function measureOriginal(
  chain: BenchChain,
  call: { functionName: string; input: string; result: string },
) {
  const anyone = await chain.newAccount()
  const { abi, bytecode } = originalShape()
  const { address } = await chain.send(anyone, null, bytecode)
  if (!address) throw new Error('the stand-in was not created')
  await chain.client.setBalance({ address, value: 10n ** 18n })
  let gas = 0
  for (const id of [1n, 2n]) {
    const trigger = encodeFunctionData({ abi, functionName: 'trigger', args: [call.functionName, call.input] })
    const submit = encodeFunctionData({ abi, functionName: 'submit', args: [id, call.result] })
    gas = (await chain.send(anyone, address, trigger)).gas + (await chain.send(anyone, address, submit)).gas
  }
  return gas
}

/** The stand-in is no part of the product, so its code is compiled here and not kept. */
function originalShape(): { abi: Abi; bytecode: Hex } {
  const contracts = fileURLToPath(new URL('../contracts/', import.meta.url))
  execFileSync(`${contracts}../node_modules/.bin/forge`, ['build', 'test/bench/OriginalShape.sol'], {
    cwd: contracts,
    env: { ...process.env, FOUNDRY_OUT: 'out/bench', FOUNDRY_CACHE_PATH: 'cache/bench' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const artifact = JSON.parse(readFileSync(`${contracts}out/bench/OriginalShape.sol/OriginalShape.json`, 'utf8'))
  return { abi: artifact.abi as Abi, bytecode: artifact.bytecode.object as Hex }
}
