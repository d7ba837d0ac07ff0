import { request } from 'node:http'

/** One call to the Docker engine over its socket. Rejects when nothing answers there; a status is not an error. */
export function dockerApi(
  socketPath: string,
  method: 'GET' | 'DELETE',
  path: string,
  timeoutMs = 5_000,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    call.once('timeout', () => call.destroy(new Error('The Docker engine did not answer in time.')))
    call.once('error', reject)
    call.end()
  })
}
