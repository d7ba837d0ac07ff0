import type { AddressInfo } from 'node:net'
import express from 'express'

const app = express()
app.get('/hello', (request, response) => {
  response.json({ hello: request.query.name ?? 'world' })
})
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hello`)
})
