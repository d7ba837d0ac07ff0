/** The same numbers always give the same sum: what a jury can judge. */
export const config = { deterministic: true, description: 'Adds two numbers.' }

export default async function adds(request: Request): Promise<Response> {
  const { searchParams } = new URL(request.url)
  return Response.json({ sum: Number(searchParams.get('a')) + Number(searchParams.get('b')) })
}
