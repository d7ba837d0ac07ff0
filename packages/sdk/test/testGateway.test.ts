import { describeInvoke } from './invokeSuite.ts'
import { startSmallNetwork } from './suiteNetworks.ts'

describeInvoke('a server of x402 primitives', startSmallNetwork)
