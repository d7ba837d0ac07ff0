// Node's own timer takes real time; that of the web platform would not.
import { setTimeout as sleep } from 'node:timers/promises'

export default async () => {
  await sleep(2_000)
  return Response.json({ slow: true })
}
