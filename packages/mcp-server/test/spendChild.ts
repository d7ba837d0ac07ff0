import { createSpendEngine } from '../src/spending/spendEngine.ts'

// A process of its own for the crash tests: does one step, says so, and waits to be killed.
const [point, directory = '', policyPath] = process.argv.slice(2)
const engine = createSpendEngine({ directory, policyPath, nowMs: () => Date.now() })
const base = {
  functionId: `0x${'1'.repeat(64)}`,
  provider: '0x1111111111111111111111111111111111111111',
  network: 'eip155:84532',
  asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
  payTo: '0x2222222222222222222222222222222222222222',
} as const

async function spend(callKey: string, amount: bigint): Promise<string | undefined> {
  const got = await engine.reserve({ ...base, callKey, amount })
  if (got.type !== 'reserved') return undefined
  if (point !== 'reserved') {
    await engine.recordSignature(got.call.callId, {
      from: base.provider,
      to: base.payTo,
      value: amount,
      validAfter: 0n,
      validBefore: 2_000_000_000n,
      nonce: `0x${'2'.repeat(64)}`,
    })
  }
  return got.call.callId
}

if (point === 'race') {
  for (let call = 0; call < 40; call++) {
    if (await spend(`${process.pid} ${call}`, 1n)) process.stdout.write('signed\n')
  }
  engine.close()
} else {
  process.stdout.write(`${await spend('child', 7n)}\n`)
  setInterval(() => {}, 1_000)
}
