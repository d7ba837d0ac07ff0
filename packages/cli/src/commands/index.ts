import type { Command } from '../command.ts'
import { callCommand } from './call.ts'
import { checkCommand } from './check.ts'
import { deployCommand } from './deploy.ts'
import { devCommand } from './dev.ts'
import { doctorCommand } from './doctor.ts'
import { initCommand } from './init.ts'
import { inspectCommand } from './inspect.ts'
import { limitsCommand } from './limits.ts'
import { lsCommand } from './ls.ts'
import { priceGetCommand } from './priceGet.ts'
import { priceSetCommand } from './priceSet.ts'
import { secretDeleteCommand } from './secretDelete.ts'
import { secretListCommand } from './secretList.ts'
import { secretSetCommand } from './secretSet.ts'
import { verifyCommand } from './verify.ts'
import { workerCapacityCommand } from './workerCapacity.ts'
import { workerDoctorCommand } from './workerDoctor.ts'
import { workerDrainCommand } from './workerDrain.ts'
import { workerInitCommand } from './workerInit.ts'
import { workerReleaseCommand } from './workerRelease.ts'
import { workerRotateCommand } from './workerRotate.ts'
import { workerStakeCommand } from './workerStake.ts'
import { workerStartCommand } from './workerStart.ts'
import { workerStatusCommand } from './workerStatus.ts'
import { workerUnstakeCommand } from './workerUnstake.ts'
import { workerWithdrawCommand } from './workerWithdraw.ts'

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  initCommand,
  devCommand,
  checkCommand,
  deployCommand,
  lsCommand,
  inspectCommand,
  callCommand,
  priceGetCommand,
  priceSetCommand,
  secretSetCommand,
  secretListCommand,
  secretDeleteCommand,
  verifyCommand,
  limitsCommand,
  workerInitCommand,
  workerStakeCommand,
  workerStartCommand,
  workerStatusCommand,
  workerDoctorCommand,
  workerCapacityCommand,
  workerRotateCommand,
  workerReleaseCommand,
  workerDrainCommand,
  workerWithdrawCommand,
  workerUnstakeCommand,
  doctorCommand,
]
