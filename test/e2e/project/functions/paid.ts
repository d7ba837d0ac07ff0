export default () => Response.json({ paid: true, random: crypto.randomUUID() })
