export default () => {
  const fs = process.getBuiltinModule('fs') as typeof import('node:fs')
  return new Response(fs.readFileSync('/etc/passwd', 'utf8'))
}
