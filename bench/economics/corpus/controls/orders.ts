/** Orders that the language fixes: keys, stable sorts, locales, maps, sets. */
export function GET() {
  const object: Record<string, number> = { b: 1, 2: 2, a: 3, 1: 4 }
  for (let i = 0; i < 300; i += 1) object[`k${(i * 7_919) % 300}`] = i
  const items = Array.from({ length: 600 }, (_, index) => ({ key: (index * 37) % 11, index }))
  const words = ['é', 'e', 'Z', 'z', 'ä', 'a', 'ß', 'ss', '10', '9']
  return Response.json([
    Object.keys(object),
    items.sort((a, b) => a.key - b.key).map(({ index }) => index),
    [...words].sort(new Intl.Collator('de').compare),
    [...words].sort((a, b) => a.localeCompare(b, 'sv')),
    [...new Map(words.map((word, index) => [word, index])).keys(), ...new Set([3, 1, 2])],
    [5, 1, 4].sort(() => 1),
  ])
}
