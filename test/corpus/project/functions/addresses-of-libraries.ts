import { parse as parseCookie, serialize } from 'cookie'
import fastUri from 'fast-uri'
import ipaddr from 'ipaddr.js'
import qs from 'qs'
import { joinURL, parseURL, withQuery } from 'ufo'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  qs: () => [qs.parse('a[b][]=1&a[b][]=2&c=%E4%BD%A0'), qs.stringify({ a: { b: [1, 2] }, c: null, d: 'é' })],
  ufo: () => [
    joinURL('https://a.b/', '/c', 'd/'),
    withQuery('/x?y=1', { z: ['1', '2'] }),
    parseURL('https://u:p@a.b:1/c?d#e').host,
  ],
  'fast-uri': () => [fastUri.normalize('HTTP://ex%41mple.com:80/a/./b'), fastUri.resolve('uri://a.b/c/d', '../e')],
  ip: () => [ipaddr.parse('::ffff:10.0.0.1').range(), ipaddr.parse('2001:db8::1').toNormalizedString()],
  cookie: () => [parseCookie('a=1; b=%20x'), serialize('s', 'é', { httpOnly: true, maxAge: 60 })],
}
export default answerCase(cases)
