export const config = {
  description: 'The smallest useful answer, for measuring everything around it.',
  deterministic: true,
}

export default function hello(request: Request): Response {
  const name = new URL(request.url).searchParams.get('name') ?? 'world'
  return Response.json({ hello: name })
}
