import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PackedPackage, tool } from './pack.ts'

/** Installs tarballs into an empty folder, as somebody who never saw the workspace. No install script runs. */
export async function install(folder: string, packed: readonly PackedPackage[]): Promise<void> {
  const dependencies = Object.fromEntries(packed.map(({ name, tarball }) => [`@peerhost/${name}`, `file:${tarball}`]))
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({
      name: 'newcomer',
      private: true,
      type: 'module',
      dependencies: { ...dependencies, viem: '2.57.1' },
      // The newest viem asks for a package that is not published yet.
      overrides: { viem: '$viem', ...Object.fromEntries(Object.keys(dependencies).map((name) => [name, `$${name}`])) },
    }),
  )
  await tool(folder, 'npm', 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund')
}
