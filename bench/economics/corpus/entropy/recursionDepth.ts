/** How deep the stack goes. */
export function GET() {
  let depth = 0
  const dive = () => {
    depth += 1
    dive()
  }
  try {
    dive()
  } catch {}
  return new Response(String(depth))
}
