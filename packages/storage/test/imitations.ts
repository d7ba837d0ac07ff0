import { blockUploadTypes, cidToDigest, eip712Domain, PROTOCOL_VERSION } from '@peerhost/protocol'
import { type Address, type Hex, recoverTypedDataAddress } from 'viem'
import { blockCid } from '../src/index.ts'
import { type Answer, readForm } from './localServer.ts'

/** `GET /ipfs/<cid>?format=raw` as the trustless gateway specification has it. */
export function trustlessGateway(blocks: Map<string, Uint8Array>): Answer {
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://gateway.test')
    const raw = searchParams.get('format') === 'raw' && request.headers.accept === 'application/vnd.ipld.raw'
    const bytes = blocks.get(pathname.replace('/ipfs/', ''))
    if (!raw) response.writeHead(406).end('only raw blocks')
    else if (!bytes) response.writeHead(404).end('not found')
    else response.writeHead(200, { 'content-type': 'application/vnd.ipld.raw' }).end(bytes)
  }
}

/** A PeerHost gateway: the same for reading, `PUT` with a wallet's signature for writing. */
export function peerhostGateway(
  blocks: Map<string, Uint8Array>,
  { chainId, coordinator, allowed }: { chainId: number; coordinator: Address; allowed: Address },
): Answer {
  const read = trustlessGateway(blocks)
  return async (request, response, body) => {
    if (request.method !== 'PUT') return read(request, response, body)
    const cid = (request.url ?? '').replace('/ipfs/', '')
    const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ')
    const { address, deadline, signature } = JSON.parse(Buffer.from(token, 'base64').toString()) as {
      address: Address
      deadline: number
      signature: Hex
    }
    const signer = await recoverTypedDataAddress({
      domain: eip712Domain({ chainId, coordinator }),
      types: blockUploadTypes,
      primaryType: 'BlockUpload',
      message: { protocolVersion: PROTOCOL_VERSION, digest: cidToDigest(cid), deadline },
      signature,
    })
    const genuine = scheme === 'PeerHost' && signer === address && signer === allowed && deadline * 1_000 > Date.now()
    if (!genuine) return void response.writeHead(401).end('{"code":"upload_unauthorized"}')
    if (blockCid(body) !== cid) return void response.writeHead(422).end('{"code":"bundle_mismatch"}')
    blocks.set(cid, body)
    response.writeHead(201).end()
  }
}

/** Pinata's v3 upload (`POST /files`) and its gateway. With raw leaves and 1 MiB chunks a small file is one raw block. */
export function pinata(blocks: Map<string, Uint8Array>, jwt: string): Answer {
  const read = trustlessGateway(blocks)
  return async (request, response, body) => {
    if (request.method !== 'POST') return read(request, response, body)
    if (request.headers.authorization !== `Bearer ${jwt}`) return void response.writeHead(401).end('{"error":"auth"}')
    const { fields, file } = await readForm(request, body)
    const rawBlock = fields.network === 'public' && fields.cid_version === 'unixfs-v1-2025'
    if (request.url !== '/files' || !file) return void response.writeHead(400).end('{"error":"bad request"}')
    const cid = rawBlock ? blockCid(file) : 'bafybeihgxdzljxb26q6nf3r3eifqeedsvt2eubqtskghpme66cgjyw4fra'
    blocks.set(cid, file)
    const data = { id: '1', name: fields.name, cid, size: file.length, number_of_files: 1, network: 'public' }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }))
  }
}

/** Kubo's RPC: POST for everything, 500 for everything that fails. */
export function kubo(blocks: Map<string, Uint8Array>): Answer {
  return async (request, response, body) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://kubo.test')
    const fail = (Message: string) =>
      void response.writeHead(500).end(JSON.stringify({ Message, Code: 0, Type: 'error' }))
    if (request.method !== 'POST') return void response.writeHead(405).end()
    if (pathname === '/api/v0/block/get') {
      const cid = searchParams.get('arg') ?? ''
      const bytes = blocks.get(cid)
      return bytes
        ? void response.writeHead(200).end(bytes)
        : fail(`block was not found locally: could not find ${cid}`)
    }
    const { file } = await readForm(request, body)
    if (pathname !== '/api/v0/block/put' || !file) return fail('bad request')
    const Key =
      searchParams.get('cid-codec') === 'raw' ? blockCid(file) : 'QmeV6C6XVt1wf7V7as7Yak3mxPma8jzpqyhtRtCvpKcfBb'
    blocks.set(Key, file)
    response.writeHead(200).end(JSON.stringify({ Key, Size: file.length }))
  }
}
