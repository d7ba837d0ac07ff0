export default () => Response.json({ error: 'broken' }, { status: 503 })
