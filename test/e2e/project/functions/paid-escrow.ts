export default async (request: Request) => Response.json({ paid: true, body: await request.text() })
