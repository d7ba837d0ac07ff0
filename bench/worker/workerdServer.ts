import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const { default: workerd } = createRequire(import.meta.url)('workerd') as { default: string }

/** The peer: workerd with one function, whose memory all its requests share. */
export async function startWorkerd(bundle: Uint8Array): Promise<{ url: string; stop: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-workerd-'))
  const port = await freePort()
  writeFileSync(join(directory, 'bundle.cjs'), bundle)
  writeFileSync(
    join(directory, 'main.mjs'),
    `import handlers from 'bundle'\nconst handler = handlers.default ?? handlers\nexport default { fetch: (request, env, context) => typeof handler === 'function' ? handler(request, context) : handler.fetch(request, env, context) }\n`,
  )
  const modules = '(name = "main", esModule = embed "main.mjs"), (name = "bundle", commonJsModule = embed "bundle.cjs")'
  writeFileSync(
    join(directory, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [${modules}], compatibilityDate = "2026-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
`,
  )
  // The program itself, not the script that starts it: it is what must end.
  const child = spawn(workerd, ['serve', join(directory, 'config.capnp')], { stdio: ['ignore', 'ignore', 'inherit'] })
  const url = `http://127.0.0.1:${port}/`
  const stop = () => {
    child.kill()
    rmSync(directory, { recursive: true, force: true })
  }
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answered = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (answered) return { url, stop }
    await new Promise((done) => setTimeout(done, 50))
  }
  stop()
  throw new Error('workerd did not answer.')
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
