import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createCommand, parseInteger, UsageError } from '../command.ts'
import { openConnection } from '../openConnection.ts'
import { type ConnectionInput, connectionOptions } from '../sharedOptions.ts'
import { formatTable } from '../table.ts'

type Input = ConnectionInput & { file: string; wait?: number }

/** `peerhost verify <file>` */
export const verifyCommand = createCommand<Input>({
  name: 'verify',
  summary: 'check a receipt against its bytes and the chain',
  examples: ['peerhost call <url> --receipt answer.json && peerhost verify answer.json'],
  arguments: [
    { name: 'file', description: 'what `call --receipt` wrote, or a PeerHost-Receipt header', required: true },
  ],
  options: [
    {
      flags: '--wait <seconds>',
      description: 'wait this long for the record on chain',
      parse: parseInteger(0, 600),
    },
    ...connectionOptions,
  ],
  run: async (context, input) => {
    const text = readText(resolve(context.cwd, input.file))
    const connection = await openConnection(context, input)
    const { readEvidence } = await import('../evidence.ts')
    const { verifyReceipt } = await import('@peerhost/sdk')
    const evidence = await readEvidence(connection, text, context.signal)
    const verdict = await verifyReceipt(connection, {
      ...evidence,
      ...(input.wait === undefined ? {} : { waitForSettlementMs: input.wait * 1_000 }),
      signal: context.signal,
    })
    const { colors } = context
    const rows = verdict.checks.map(({ name, ok, detail }) => [
      ok ? colors.green('ok') : colors.red('FAILED'),
      name,
      detail ?? '',
    ])
    const summary = verdict.ok ? `verified: ${verdict.level}` : 'not verified'
    const settled = verdict.settled ? 'settled on chain' : 'not settled on chain yet'
    return {
      data: { requestId: evidence.receipt.requestId, ...verdict },
      text: `${formatTable(rows)}\n\n${verdict.ok ? colors.green(summary) : colors.red(summary)}, ${settled}`,
      failed: !verdict.ok,
    }
  },
})

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new UsageError(`${path} cannot be read.`)
  }
}
