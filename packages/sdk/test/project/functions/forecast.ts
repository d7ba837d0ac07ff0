export default async (request: Request): Promise<Response> => {
  const url = new URL(request.url)
  return Response.json({ method: request.method, path: url.pathname, query: [...url.searchParams] })
}
