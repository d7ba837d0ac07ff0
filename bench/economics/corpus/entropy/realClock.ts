/** A time that the ticket's clock does not cover. */
export function GET() {
  return new Response(new Event('now').timeStamp.toFixed(1))
}
