import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** True when the folder looks like a project: then `dev` deploys it. */
export function isProject(directory: string): boolean {
  return ['peerhost.jsonc', 'functions'].some((name) => existsSync(join(directory, name)))
}
