export default () => {
  const kept: number[][] = []
  for (;;) kept.push(new Array(1_000_000).fill(kept.length))
}
