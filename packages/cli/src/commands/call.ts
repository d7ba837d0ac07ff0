import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { InvokeResponse } from '@peerhost/sdk'
import { type CommandContext, collect, createCommand, parseAmount, UsageError } from '../command.ts'
import { openOptionalAccount } from '../openConnection.ts'
import { readDataArgument } from '../readDataArgument.ts'
import { readHeaders } from '../readHeaders.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput &
  AccountInput & {
    url: string
    request?: string
    data?: string
    header?: string[]
    maxPrice?: string
    dryRun?: boolean
    lane?: 'attested' | 'confirmed'
    receipt?: string
  }

/** `peerhost call <url>` */
export const callCommand = createCommand<Input>({
  name: 'call',
  summary: 'call a function and pay for it within a cap',
  examples: [
    'peerhost call http://127.0.0.1:8402/0x…/weather/today',
    'peerhost call <url> -d @body.json --max-price 0.01 --receipt answer.json',
    'peerhost call <url> --dry-run',
  ],
  arguments: [{ name: 'url', description: 'URL of the function, or of a path below it', required: true }],
  options: [
    { flags: '-X, --request <method>', description: 'HTTP method (GET, or POST with data)' },
    { flags: '-d, --data <data>', description: 'body; @file reads a file, @- reads stdin' },
    { flags: '-H, --header <line>', description: 'header as “name: value”; may be repeated', parse: collect },
    {
      flags: '--max-price <tokens>',
      description: 'most that may be paid (default 0: free calls only)',
      parse: parseAmount,
    },
    { flags: '--dry-run', description: 'show the price, pay and run nothing' },
    { flags: '--lane <lane>', description: 'attested or confirmed', parse: parseLane },
    { flags: '--receipt <file>', description: 'write receipt and bytes there, for peerhost verify' },
    ...connectionOptions,
    ...accountOptions,
  ],
  run: async (context, input) => {
    const request = requestOf(context, input)
    const connection = await openOptionalAccount(context, { ...input, gateway: gatewayOf(context, input) }, 'payer')
    const { invoke, quote } = await import('@peerhost/sdk')
    if (input.dryRun) {
      const quoted = await quote(connection, { ...request, signal: context.signal })
      const text = quoted.price === 0n ? 'free' : `${quoted.priceText} ${connection.network.token.symbol}`
      return { data: quoted, text }
    }
    const maxPrice = await capOf(context, connection, request, input)
    const answer = await invoke(connection, { ...request, maxPrice, signal: context.signal }).catch(explainCap)
    if (input.receipt && answer.receipt) {
      const { fetchEvidence, formatEvidence } = await import('../evidence.ts')
      const evidence = await fetchEvidence(connection, answer.receipt, context.signal)
      writeFileSync(resolve(context.cwd, input.receipt), formatEvidence(evidence))
    }
    if (!context.json) describe(context, answer)
    return { data: dataOf(answer), text: answer.text(), failed: answer.status >= 400 }
  },
})

type Connection = Awaited<ReturnType<typeof openOptionalAccount>>
type Request = ReturnType<typeof requestOf>

/** The gateway is the one of the URL, unless another is named. */
function gatewayOf({ env }: CommandContext, { gateway, url }: Input): string {
  if (!URL.canParse(url)) throw new UsageError(`“${url}” is not a URL.`, 'peerhost ls shows the URLs of functions.')
  const { protocol, hostname, port } = new URL(url)
  const host = hostname.replace(/^0x[0-9a-f]{40}\./i, '')
  return gateway ?? env.PEERHOST_GATEWAY ?? `${protocol}//${host}${port ? `:${port}` : ''}`
}

function requestOf({ cwd }: CommandContext, { url, request, data, header, lane }: Input) {
  const body = data === undefined ? undefined : readDataArgument(cwd, data)
  return { url, method: request, headers: readHeaders(header), body, lane }
}

/** The cap that was given; on a terminal without one, the price of the quote when the caller agrees to it. */
async function capOf(context: CommandContext, connection: Connection, request: Request, input: Input): Promise<string> {
  if (input.maxPrice !== undefined || !context.isInteractive) return input.maxPrice ?? '0'
  const { quote } = await import('@peerhost/sdk')
  const quoted = await quote(connection, { ...request, signal: context.signal })
  if (quoted.price === 0n) return '0'
  const { confirm } = await import('@clack/prompts')
  const symbol = connection.network.token.symbol
  const agreed = await confirm({
    message: `This call costs ${quoted.priceText} ${symbol}, paid to ${quoted.payTo}. Pay?`,
    initialValue: false,
    output: process.stderr,
    signal: context.signal,
  })
  return agreed === true ? quoted.priceText : '0'
}

/** What the SDK calls `maxPrice` is a flag here. */
function explainCap(error: unknown): never {
  const { name, code, message, details } = error as Error & { code?: string; details?: string[] }
  if (name !== 'PeerHostError' || (code !== 'payment_required' && code !== 'budget_exceeded')) throw error
  const hint = 'Nothing was paid. Agree to the price with --max-price <tokens>; --dry-run shows it.'
  throw Object.assign(new Error(message), { name, code, details, hint })
}

function describe({ note, colors }: CommandContext, answer: InvokeResponse): void {
  const parts = [
    String(answer.status),
    `${Math.round(answer.latencyMs)} ms`,
    chargeOf(answer),
    ...(answer.headers.get('peerhost-worker') ? [`worker ${answer.headers.get('peerhost-worker')}`] : []),
    ...(answer.requestId ? [`request ${answer.requestId}`] : []),
  ]
  note(colors.dim(parts.join(' · ')))
}

function chargeOf({ payment }: InvokeResponse): string {
  if (payment?.outcome === 'paid') return `paid ${payment.amountText}`
  return payment?.outcome === 'unknown' ? `whether ${payment.amountText} was paid is not known yet` : 'paid nothing'
}

function dataOf(answer: InvokeResponse) {
  const { status, requestId, payment, latencyMs, receipt } = answer
  const body = decodeStrict(answer.body)
  return {
    status,
    headers: Object.fromEntries(answer.headers),
    ...(body === undefined ? { bodyBase64: Buffer.from(answer.body).toString('base64') } : { body }),
    requestId,
    worker: receipt?.attestations[0]?.operator,
    payment,
    receipt,
    latencyMs: Math.round(latencyMs),
  }
}

function decodeStrict(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function parseLane(text: string): string {
  if (text === 'attested' || text === 'confirmed') return text
  throw new UsageError(`There is no lane “${text}”.`, 'Lanes are attested and confirmed.')
}
