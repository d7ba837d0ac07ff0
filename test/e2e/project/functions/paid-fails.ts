export default () => Response.json({ error: 'not found' }, { status: 404 })
