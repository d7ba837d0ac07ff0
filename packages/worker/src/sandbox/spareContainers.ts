import { encodeFrame, type Settings } from '@peerhost/runtime'
import type { ContainerOrder } from './containerPool.ts'
import type { Transport } from './transport.ts'

/** What a container is made for; without a deployment, it waits for one. */
export type WaitingOrder = Omit<ContainerOrder, 'deployment'> & { readonly deployment?: string }

export type SpareContainersDeps = {
  start: (order: WaitingOrder) => Promise<Transport>
  settings: (order: Omit<ContainerOrder, 'deployment'>) => Settings
  /** How many wait for each limits class; 0: none. */
  count: number
  log: (line: string) => void
}

export type SpareContainers = {
  /** A container for a deployment: one that waits for it, else a new one. */
  take: (order: ContainerOrder) => Promise<Transport>
  close: () => Promise<void>
}

/**
 * Containers that run nothing yet: their processes are up and wait for a bundle, so that the first call of a function does
 * not wait for an engine. Once one is given a deployment it is that deployment's for ever.
 */
export function createSpareContainers(deps: SpareContainersDeps): SpareContainers {
  const waiting = new Map<string, Promise<Transport>[]>()
  let isClosed = false
  const keyOf = ({ limits, slots }: Pick<ContainerOrder, 'limits' | 'slots'>) => JSON.stringify([limits, slots], plain)

  function refill({ limits, slots }: ContainerOrder, spares: Promise<Transport>[]): void {
    while (!isClosed && spares.length < deps.count) {
      const spare = prepare({ limits, slots })
      spares.push(spare)
      const forget = () => void spares.splice(0, spares.length, ...spares.filter((other) => other !== spare))
      spare
        .then(({ closed }) => closed.then(forget))
        .catch((error) => {
          forget()
          deps.log(`A container ahead of time did not start: ${String(error)}`)
        })
    }
  }

  async function prepare(order: Omit<ContainerOrder, 'deployment'>): Promise<Transport> {
    const transport = await deps.start(order)
    transport.input.on('error', () => {})
    transport.input.write(encodeFrame({ type: 'prepare', settings: deps.settings(order) }))
    return transport
  }

  return {
    async take(order) {
      const key = keyOf(order)
      const spares = waiting.get(key) ?? []
      waiting.set(key, spares)
      const spare = await spares.shift()?.catch(() => undefined)
      const taken = spare ?? deps.start(order)
      refill(order, spares)
      return taken
    },
    async close() {
      isClosed = true
      const all = [...waiting.values()].flat()
      await Promise.allSettled(all.map(async (spare) => (await spare).kill()))
    },
  }
}

function plain(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
