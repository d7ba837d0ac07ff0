import type { Ticket } from '@peerhost/protocol'

/** The operators, lower case, that alone may run a ticket's deployment; `undefined` when anybody may. */
export type TrustedOf = (ticket: Ticket) => Promise<ReadonlySet<string> | undefined>
