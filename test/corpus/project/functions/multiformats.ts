import { base36 } from 'multiformats/bases/base36'
import { CID } from 'multiformats/cid'
import * as json from 'multiformats/codecs/json'
import { sha256 } from 'multiformats/hashes/sha2'
import { fromString, toString as textOf } from 'uint8arrays'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  cid: async () => CID.create(1, json.code, await sha256.digest(json.encode({ a: 1 }))).toString(base36),
  parse: () => CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi').version,
  uint8arrays: () => [textOf(fromString('aé'), 'base64url'), fromString('00ff', 'hex')],
}
export default answerCase(cases)
