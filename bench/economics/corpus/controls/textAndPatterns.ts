/** Regular expressions with much backtracking, Unicode, URLs and numbers as text. */
export function GET() {
  const text = 'The quick brown fox jumps over the lazy dog; Ünïcödé ſtraße ﬁn. '.repeat(60)
  return Response.json([
    text.match(/(\w+)\s(\w+)(?=.*dog)/gu)?.length,
    /^(a+)+$/.test(`${'a'.repeat(18)}!`),
    text.normalize('NFKD').length,
    new URL('https://exämple.org/ä?b=ü#c').href,
    [0.1 + 0.2, 1e21, 123456.789, 5e-324].map(String),
    (1234567.891).toLocaleString('de-DE', { style: 'currency', currency: 'EUR' }),
    structuredClone({ a: [1n, new Date(0), new Map([['k', 1]])] }).a.length,
  ])
}
