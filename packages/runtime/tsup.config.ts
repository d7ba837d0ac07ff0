import { writeFile } from 'node:fs/promises'
import { defineConfig } from 'tsup'
import { bundlePrograms } from './src/bundlePrograms.ts'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  dts: true,
  clean: true,
  sourcemap: true,
  target: 'es2023',
  external: ['esbuild'],
  // The programs are bundled by the same code as from the sources: one digest for both.
  async onSuccess() {
    const programs = await bundlePrograms()
    await writeFile('dist/supervisor.cjs', programs.supervisor)
    await writeFile('dist/host.cjs', programs.host)
  },
})
