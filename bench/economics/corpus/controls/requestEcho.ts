/** What an ordinary API does: read, check, answer. */
export async function GET(request: Request) {
  const { searchParams, pathname } = new URL(request.url)
  const items = Array.from({ length: 20 }, (_, id) => ({ id, name: `item ${id}`, price: id * 1.1 }))
  const total = items.reduce((sum, { price }) => sum + price, 0)
  return Response.json({ pathname, query: [...searchParams], items, total }, { headers: { etag: `"${total}"` } })
}
