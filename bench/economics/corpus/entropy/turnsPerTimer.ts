/** How many turns of the event loop fit into five milliseconds: a clock. */
export async function GET() {
  let turns = 0
  let running = true
  const turn = () => {
    turns += 1
    if (running) setImmediate(turn)
  }
  turn()
  await new Promise((done) => setTimeout(done, 5))
  running = false
  return new Response(String(turns))
}
