/** The bundler refuses the import, so it asks the process itself for the module. */
export default () => {
  const childProcess = process.getBuiltinModule('child_process') as typeof import('node:child_process')
  const { pid } = childProcess.spawn(process.execPath, ['-e', 'for (;;);'])
  return Response.json({ pid })
}
