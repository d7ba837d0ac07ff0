import { writeFile } from 'node:fs/promises'
import { defineConfig } from 'tsup'
import { bundlePrograms } from './src/bundlePrograms.ts'
import { programFiles } from './src/programs.ts'

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
    for (const [name, file] of Object.entries(programFiles))
      await writeFile(`dist/${file}`, programs[name as keyof typeof programs])
  },
})
