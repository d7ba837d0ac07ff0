import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import chromium from '@sparticuz/chromium'
import { type Browser, type Page, chromium as playwright } from 'playwright-core'

/** A page of a real Chromium with one script on it, served from an origin of its own. `problems` fills as it runs. */
export async function openPage(
  script: string,
): Promise<{ page: Page; problems: string[]; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/script.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><title>PeerHost</title><script src="/script.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const problems: string[] = []
  let browser: Browser | undefined
  const close = async () => {
    await browser?.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  try {
    browser = await playwright.launch({
      executablePath: process.env.CHROME_PATH ?? (await chromium.executablePath()),
      args: process.env.CHROME_PATH ? ['--no-sandbox'] : [...chromium.args, '--no-sandbox'],
      headless: true,
    })
    const page = await browser.newPage()
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    return { page, problems, close }
  } catch (error) {
    await close()
    throw error
  }
}
