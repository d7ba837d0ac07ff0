import type { Devnet } from '@peerhost/devnet'
import type { Row } from './calls.ts'

/** The rows as an aligned table. */
export function formatRows(rows: readonly Row[]): string {
  const header = ['call', 'ok', 'paid', 'worker', 'ms', 'request', 'settled in', 'receipt verified']
  const lines = rows.map((row) => [
    row.call,
    row.ok ? 'yes' : 'NO',
    row.pricePaid,
    short(row.worker),
    String(row.latencyMs),
    short(row.requestId),
    short(row.settlementTx),
    row.receiptVerified === null ? '-' : row.receiptVerified ? 'yes' : 'NO',
  ])
  const all = [header, ...lines]
  const widths = header.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)))
  const text = all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [text[0], widths.map((width) => '-'.repeat(width)).join('  '), ...text.slice(1)].join('\n')
}

/** What to type while the network stays up. */
export function formatStaying(devnet: Devnet, urls: { today: string; forecast: string }): string {
  const { gatewayUrl, chain, directory } = devnet
  return [
    `gateway  ${gatewayUrl}`,
    `chain    ${chain.rpcUrl} (${chain.id})`,
    `logs     ${directory}`,
    '',
    'Call it:',
    `  curl -i '${urls.today}?city=Lisbon'`,
    `  curl -i '${urls.forecast}?city=Lisbon'`,
    `  npm run -s peerhost -- call '${urls.forecast}?city=Lisbon' --gateway ${gatewayUrl} --max-price 0.001`,
    '',
    'Ctrl-C stops everything.',
  ].join('\n')
}

function short(hex: string | null): string {
  return hex === null ? '-' : `${hex.slice(0, 8)}…${hex.slice(-4)}`
}
