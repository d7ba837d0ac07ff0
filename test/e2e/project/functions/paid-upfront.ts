export default () => Response.json({ upfront: true })
