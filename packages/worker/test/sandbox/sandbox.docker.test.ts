import { createTestSandbox } from './dockerEngine.ts'
import { describeSandbox } from './sandbox.suite.ts'

for (const isolation of ['context', 'process'] as const) describeSandbox('docker', isolation, () => createTestSandbox())
