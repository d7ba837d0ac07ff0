// A host that was taken over: it says what the environment of its test asks for on its pipe, before and instead of an answer.
const { readSync, writeSync } = require('node:fs')

function frame(header, body = Buffer.alloc(0)) {
  const head = Buffer.from(JSON.stringify(header))
  const prefix = Buffer.alloc(8)
  prefix.writeUInt32BE(head.length, 0)
  prefix.writeUInt32BE(body.length, 4)
  return Buffer.concat([prefix, head, body])
}

function readFrame() {
  const read = (length) => {
    const bytes = Buffer.alloc(length)
    for (let filled = 0; filled < length; ) filled += readSync(0, bytes, filled, length - filled, null)
    return bytes
  }
  const prefix = read(8)
  return read(prefix.readUInt32BE(0) + prefix.readUInt32BE(4))
    .subarray(prefix.readUInt32BE(0))
    .toString()
}

const bundle = readFrame()
writeSync(3, frame({ type: 'ready' }))
readFrame()
const ended = {
  type: 'ended',
  id: 1,
  end: 'completed',
  reason: 'error',
  status: 200,
  headers: [],
  durationMs: 0,
  logBytes: 0,
  keptLogBytes: 0,
}
const answer = (status) => frame({ type: 'answer', status, headers: [] }, Buffer.from(`answer ${status}`))
const lies = {
  'the words of a supervisor': () => writeSync(3, frame(ended)),
  'ready again': () => writeSync(3, Buffer.concat([frame({ type: 'ready' }), frame({ type: 'ready' }), answer(200)])),
  'two answers': () => writeSync(3, Buffer.concat([answer(201), answer(202)])),
  'a huge frame': () => writeSync(3, Buffer.from('ffffffffffffffff', 'hex')),
  'a body over the limit': () => writeSync(3, frame({ type: 'answer', status: 200, headers: [] }, Buffer.alloc(2000))),
  'half a frame, then death': () => writeSync(3, answer(200).subarray(0, 20)) && process.exit(0),
  garbage: () => writeSync(3, Buffer.alloc(5000, 7)),
  'frames on every descriptor': () => {
    for (let descriptor = 0; descriptor <= 20; descriptor += 1) {
      try {
        writeSync(descriptor, frame(ended))
      } catch {}
    }
  },
}
lies[bundle]()
setInterval(() => {}, 1000)
