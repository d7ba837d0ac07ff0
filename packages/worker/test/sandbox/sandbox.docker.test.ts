import { createTestSandbox } from './dockerEngine.ts'
import { describeSandbox } from './sandbox.suite.ts'

describeSandbox('docker', () => createTestSandbox())
