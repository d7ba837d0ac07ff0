let calls = 0
export default () => {
  calls += 1
  const seen = (globalThis as { calls?: number }).calls ?? 0
  ;(globalThis as { calls?: number }).calls = seen + 1
  return Response.json({ calls, seen })
}
