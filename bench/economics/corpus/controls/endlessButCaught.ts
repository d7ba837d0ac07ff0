/** Recursion without an end that is told in one fixed sentence. */
export function GET() {
  const dive = (): number => 1 + dive()
  try {
    return new Response(String(dive()))
  } catch (error) {
    return new Response((error as Error).message, { status: 422 })
  }
}
