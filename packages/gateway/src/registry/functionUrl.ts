import type { FunctionRecord } from './functionRecord.ts'

/**
 * The public URL of a function: `https://<wallet>.<domain>/…` where wildcard DNS is set up, which is when the gateway's
 * own public URL is on that domain; the same as a path where it is not, as on one machine.
 */
export function functionUrls(options: {
  publicUrl: string
  domain: string | undefined
}): (record: Pick<FunctionRecord, 'creator' | 'project' | 'name'>) => string {
  const { protocol, host, hostname, origin } = new URL(options.publicUrl)
  const { domain } = options
  const isOnDomain =
    domain !== undefined && domain !== 'localhost' && (hostname === domain || hostname.endsWith(`.${domain}`))
  const port = host.slice(hostname.length)
  return ({ creator, project, name }) => {
    const wallet = creator.toLowerCase()
    return isOnDomain
      ? `${protocol}//${wallet}.${domain}${port}/${project}/${name}`
      : `${origin}/${wallet}/${project}/${name}`
  }
}
