import { describeInvoke } from './invokeSuite.ts'
import { startWholeNetwork } from './suiteNetworks.ts'

describeInvoke('a gateway with a worker', startWholeNetwork)
