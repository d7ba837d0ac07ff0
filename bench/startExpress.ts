import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** Plain Express in a process of its own, as somebody would run it without PeerHost. `url` is the peer of the functions. */
export async function startExpress(): Promise<{ url: string; stop: () => void }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'expressServer.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const chunk of child.stdout) return { url: String(chunk).trim(), stop: () => child.kill() }
  throw new Error('Express did not start.')
}
