/** The ticket's time in several forms, and a sleep. */
export async function GET() {
  const before = new Date()
  await new Promise((done) => setTimeout(done, 25))
  const zone = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Tokyo', dateStyle: 'full', timeStyle: 'long' })
  return Response.json([
    before,
    Date.now() - before.getTime(),
    zone.format(before),
    before.toString(),
    performance.now(),
  ])
}
