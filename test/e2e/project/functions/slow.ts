export default async () => {
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  return Response.json({ slow: true })
}
