export default async (request: Request): Promise<Response> => {
  const url = new URL(request.url)
  const fail = url.searchParams.get('fail')
  if (fail === 'throw') throw new Error('As asked.')
  const body = { method: request.method, path: url.pathname, query: [...url.searchParams] }
  return Response.json(body, { status: fail === null ? 200 : Number(fail) })
}
