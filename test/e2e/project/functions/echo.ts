/** Answers what it was asked, so that a test sees the exact bytes that reached the function. */
export default async function echo(request: Request): Promise<Response> {
  const body = new Uint8Array(await request.arrayBuffer())
  const { pathname, search } = new URL(request.url)
  return Response.json({ method: request.method, pathname, search, headers: [...request.headers], body: [...body] })
}
