import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Everything that tests write to the temporary folder of the system goes to one of their own, which ends with them. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'peerhost-tests-'))
  // PostgreSQL does not run as root: its user must get through to its own folder.
  chmodSync(folder, 0o755)
  process.env.TMPDIR = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
