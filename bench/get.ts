/** One call of a URL that must answer 200. */
export async function get(url: string): Promise<void> {
  const response = await fetch(url)
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${body}`)
}
