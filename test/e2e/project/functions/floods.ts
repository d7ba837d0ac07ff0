export default () => {
  const megabyte = 'x'.repeat(1_048_576)
  for (let written = 0; written < 1_024; written += 1) console.log(megabyte)
  return new Response('wrote 1 GB')
}
