/**
 * `npm run -s bench -- <name>`: prints what was measured for people on stderr and ends with one line of JSON on stdout.
 * The keys are documented in README.md beside this file and only ever grow.
 */
const benchmarks: Record<string, () => Promise<{ run: () => Promise<Record<string, number>> }>> = {
  economics: () => import('./economics/economics.ts'),
  gas: () => import('./gas.ts'),
  latency: () => import('./latency.ts'),
  throughput: () => import('./throughput.ts'),
  worker: () => import('./worker/worker.ts'),
}

const load = benchmarks[process.argv[2] ?? '']
if (!load) {
  console.error(`Usage: npm run -s bench -- <${Object.keys(benchmarks).join(' | ')}>`)
  process.exit(2)
}
const { run } = await load()
console.log(JSON.stringify(await run()))
