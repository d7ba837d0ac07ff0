/**
 * Imports the module named in the first argument: Node's own resolution finds a package's process by its name, from
 * sources or from a build. The process ends when the one that forked it is gone, however that went.
 */
const specifier = process.argv[2]
const graceMs = 5_000
if (!specifier) {
  process.stderr.write('launch: needs a module\n')
  process.exit(2)
}

process.once('disconnect', () => {
  setTimeout(() => process.exit(1), graceMs).unref()
  process.kill(process.pid, 'SIGTERM')
})

try {
  await import(specifier)
} catch (error) {
  // Short, so that whoever shows the end of the log shows what happened.
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
}

export {}
