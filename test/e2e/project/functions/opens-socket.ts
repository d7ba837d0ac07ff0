export default async () => {
  const response = await fetch('http://169.254.169.254/latest/meta-data/')
  return new Response(await response.text())
}
