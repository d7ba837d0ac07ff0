import { base64url, CompactEncrypt, calculateJwkThumbprint, compactDecrypt, importJWK, jwtVerify, SignJWT } from 'jose'
import { answerCase, type Cases } from '../answerCase.ts'

const secret = new Uint8Array(32).fill(5)

const cases: Cases = {
  sign: ({ n }) => new SignJWT({ n }).setProtectedHeader({ alg: 'HS256' }).setIssuedAt(1).sign(secret),
  verify: async () =>
    (
      await jwtVerify(
        await new SignJWT({ a: 1 }).setProtectedHeader({ alg: 'HS512' }).sign(new Uint8Array(64)),
        new Uint8Array(64),
      )
    ).payload,
  expired: async () =>
    jwtVerify(
      await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(5).sign(secret),
      secret,
    ).catch(({ code }) => code),
  encrypt: async () =>
    new TextDecoder().decode(
      (
        await compactDecrypt(
          await new CompactEncrypt(Uint8Array.of(65, 66))
            .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
            .encrypt(secret),
          secret,
        )
      ).plaintext,
    ),
  keys: async () => [
    await calculateJwkThumbprint({ kty: 'oct', k: base64url.encode(secret) }),
    (await importJWK({ kty: 'oct', k: 'AAAA' }, 'HS256')) instanceof Uint8Array,
  ],
}
export default answerCase(cases)
