export default async () => {
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  return Response.json({ slow: true })
}
