import { functionId } from '@peerhost/protocol'
import { expect, test } from 'vitest'
import { readingsOf } from './resolveUrl.ts'

const wallet = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const names = (url: string) => readingsOf(url).map(({ project, name, path }) => `${project}:${name}:${path}`)

test('reads both forms of a URL, the longest name first', () => {
  const expected = ['weather:a/b:/', 'weather:a:/b']
  expect(names(`http://localhost:8402/${wallet}/weather/a/b?c=d`)).toEqual(expected)
  expect(names(`https://${wallet.toLowerCase()}.peerhost.example/weather/a/b#e`)).toEqual(expected)
  expect(readingsOf(`http://localhost/${wallet.toLowerCase()}/weather/a`)[0]).toMatchObject({
    creator: wallet,
    functionId: functionId(wallet, 'weather', 'a'),
    path: '/',
  })
})

test('takes what cannot be a name as the path below the function', () => {
  expect(names(`http://localhost/${wallet}/weather/a/B%2Fc/d`)).toEqual(['weather:a:/B%2Fc/d'])
  expect(names(`http://localhost/${wallet}/weather/a/`)).toEqual(['weather:a:/'])
})

test('reads nothing into other URLs', () => {
  for (const path of ['', wallet, `${wallet}/weather`, `${wallet}/Weather/a`, 'v1/network', `0x12/weather/a`]) {
    expect(readingsOf(`http://localhost/${path}`), path).toEqual([])
  }
})
