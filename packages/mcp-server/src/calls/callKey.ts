import { createHash } from 'node:crypto'
import { encodeCanonicalJson, toBase64 } from '@peerhost/protocol'
import type { CallTarget } from '../peerHostPort.ts'

/** What makes two calls the same call: function, request, and the caller's own key when it wants them to differ. */
export function callKey(target: CallTarget, idempotencyKey = ''): string {
  const { functionId, method, path, query, contentType, body } = target
  const json = {
    functionId,
    method,
    path,
    query: query.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()]),
    contentType: contentType ?? '',
    body: body ? toBase64(body) : '',
    idempotencyKey: idempotencyKey.toWellFormed(),
  }
  return createHash('sha256').update(encodeCanonicalJson(json)).digest('hex')
}
