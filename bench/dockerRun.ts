import { spawn } from 'node:child_process'

const limits = '--network none --read-only --cap-drop ALL --memory 128m --pids-limit 64 --user 65534'.split(' ')

/** The peer: the same Node in the same image, one container per request, as a sandbox without a pool would do it. */
export function dockerRun(socketPath: string, image: string, script: string): Promise<void> {
  const engine = ['-H', `unix://${socketPath}`]
  const command = [...engine, 'run', '--rm', '-i', ...limits, '--entrypoint', '/bin/node', image, '-']
  const child = spawn('docker', command, { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.on('error', () => {})
  child.stdin.end(script)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`docker run ended with ${code}.`))))
  })
}

/** The image that the workers of this machine use. */
export async function runtimeImage(socketPath: string): Promise<string> {
  const format = ['--format', '{{.Repository}}:{{.Tag}}']
  const child = spawn('docker', ['-H', `unix://${socketPath}`, 'images', ...format, 'peerhost-runtime'])
  let output = ''
  for await (const chunk of child.stdout) output += String(chunk)
  const [image] = output.trim().split('\n')
  if (!image) throw new Error('There is no image peerhost-runtime.')
  return image
}
