/** What the garbage collector has already taken. */
export async function GET() {
  let taken = 0
  const registry = new FinalizationRegistry(() => {
    taken += 1
  })
  const references: WeakRef<object>[] = []
  for (let index = 0; index < 300; index += 1) {
    const large = { index, values: new Array(12_000).fill(index) }
    registry.register(large, index)
    references.push(new WeakRef(large))
    if (index % 20 === 0) await new Promise((done) => setTimeout(done, 1))
  }
  const gone = references.filter((reference) => reference.deref() === undefined).length
  return new Response(`${taken} ${gone}`)
}
