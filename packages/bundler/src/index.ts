export type { BuiltFunction, FunctionMetadata } from './buildFunction.ts'
export {
  type BuildProjectParameters,
  type BuiltProject,
  buildProject,
  type ProjectOverrides,
} from './buildProject.ts'
export { allowedBuiltins } from './builtins.ts'
export {
  type FunctionMethod,
  type FunctionSettings,
  functionMethods,
  type ProjectConfig,
  projectConfigJsonSchema,
} from './configSchema.ts'
export { type FoundFunction, findFunctions } from './findFunctions.ts'
export { defaultProjectName } from './projectName.ts'
export { projectNameOf } from './projectNameOf.ts'
