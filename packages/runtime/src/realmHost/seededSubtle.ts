import crypto, { webcrypto } from 'node:crypto'
import { createKeystream, type Keystream } from '../keystream.ts'

type CryptoKey = webcrypto.CryptoKey
type CryptoKeyPair = webcrypto.CryptoKeyPair

const { subtle } = webcrypto

/** What gives the same bytes on every machine for the same call. RSA-PSS is here for signatures without salt. */
const repeatable: Readonly<Record<string, RegExp>> = {
  sign: /^(hmac|ed25519|ed448|rsassa-pkcs1-v1_5|rsa-pss|kmac128|kmac256)$/i,
  encrypt: /^(aes-.*|chacha20-poly1305)$/i,
  wrapKey: /^(aes-.*|chacha20-poly1305)$/i,
  generateKey: /^(aes-.*|hmac|ecdsa|ecdh|ed25519|x25519)$/i,
}

const curves: Readonly<Record<string, { name: string; bytes: number; topByte: number }>> = {
  'P-256': { name: 'prime256v1', bytes: 32, topByte: 0xff },
  'P-384': { name: 'secp384r1', bytes: 48, topByte: 0xff },
  'P-521': { name: 'secp521r1', bytes: 66, topByte: 0x01 },
}

/** What stands before the 32 bytes of a private key in PKCS #8 (RFC 8410, section 7). */
const privateKeyPrefixes: Readonly<Record<string, string>> = {
  Ed25519: '302e020100300506032b657004220420',
  X25519: '302e020100300506032b656e04220420',
}

/**
 * Web Crypto whose chance is the ticket's: keys are drawn from `draw`, and what would mix in the machine's own chance is
 * refused with `NotSupportedError`, because no two workers would come to the same result.
 */
export async function callSeeded(draw: Keystream, method: string, values: readonly unknown[]): Promise<unknown> {
  const algorithm = method === 'wrapKey' ? values[3] : values[0]
  const name = nameOf(algorithm)
  const isRepeatable = repeatable[method]?.test(name) ?? true
  const hasSalt = method === 'sign' && /^rsa-pss$/i.test(name) && Number(memberOf(algorithm, 'saltLength')) !== 0
  if (!isRepeatable || hasSalt)
    throw new DOMException(
      `${method} with ${name} gives other bytes on every machine, so a function cannot use it.`,
      'NotSupportedError',
    )
  // Taken now: calls that go on beside each other end in any order.
  const chance = method === 'generateKey' ? createKeystream(draw(32)) : draw
  const call = (subtle as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>)[method]
  const value = await call?.apply(subtle, [...values])
  // The machine's own key has shown that the call is right, and what it is to give.
  return method === 'generateKey' ? redraw(chance, value as CryptoKey | CryptoKeyPair) : value
}

function redraw(draw: Keystream, made: CryptoKey | CryptoKeyPair): Promise<CryptoKey | CryptoKeyPair> {
  return 'privateKey' in made ? redrawPair(draw, made) : redrawSecret(draw, made)
}

function redrawSecret(draw: Keystream, { algorithm, extractable, usages }: CryptoKey): Promise<CryptoKey> {
  const { length } = algorithm as webcrypto.AesKeyAlgorithm
  return subtle.importKey('raw', draw(Math.ceil(length / 8)), algorithm, extractable, usages)
}

async function redrawPair(draw: Keystream, { privateKey, publicKey }: CryptoKeyPair): Promise<CryptoKeyPair> {
  const { algorithm } = privateKey
  const pkcs8 = privateKeyOf(draw, algorithm)
  const spki = crypto.createPublicKey(pkcs8).export({ format: 'der', type: 'spki' })
  const der = pkcs8.export({ format: 'der', type: 'pkcs8' })
  return {
    privateKey: await subtle.importKey('pkcs8', der, algorithm, privateKey.extractable, privateKey.usages),
    publicKey: await subtle.importKey('spki', spki, algorithm, true, publicKey.usages),
  }
}

function privateKeyOf(draw: Keystream, algorithm: webcrypto.KeyAlgorithm): crypto.KeyObject {
  const prefix = privateKeyPrefixes[algorithm.name]
  if (prefix !== undefined) {
    const key = Buffer.concat([Buffer.from(prefix, 'hex'), draw(32)])
    return crypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  }
  const { namedCurve } = algorithm as webcrypto.EcKeyAlgorithm
  const curve = curves[namedCurve]
  if (!curve) throw new DOMException(`There is no curve ${namedCurve}.`, 'NotSupportedError')
  return curveKey(draw, namedCurve, curve)
}

/** Draws until the number is one of the curve's private keys (FIPS 186-5, A.2.2). */
function curveKey(draw: Keystream, crv: string, { name, bytes, topByte }: (typeof curves)[string]): crypto.KeyObject {
  const ecdh = crypto.createECDH(name)
  for (;;) {
    const d = Buffer.from(draw(bytes))
    d[0] = (d[0] ?? 0) & topByte
    try {
      ecdh.setPrivateKey(d)
    } catch {
      continue
    }
    const point = ecdh.getPublicKey()
    const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)]
    const key = { kty: 'EC', crv, d: text(d), x: text(x), y: text(y) }
    return crypto.createPrivateKey({ key, format: 'jwk' })
  }
}

function text(bytes: Buffer): string {
  return bytes.toString('base64url')
}

function nameOf(algorithm: unknown): string {
  return String(typeof algorithm === 'object' ? memberOf(algorithm, 'name') : algorithm)
}

function memberOf(value: unknown, member: string): unknown {
  return (value as Record<string, unknown> | null)?.[member]
}
