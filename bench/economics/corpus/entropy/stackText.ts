/** How many frames an error of a full stack carries, and how long its text is. */
export function GET() {
  Error.stackTraceLimit = 100_000
  const dive = (): number => 1 + dive()
  try {
    dive()
  } catch (error) {
    return new Response(String((error as Error).stack?.split('\n').length))
  }
  return new Response('none')
}
