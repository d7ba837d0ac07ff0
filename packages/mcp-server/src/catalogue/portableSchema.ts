import { isPlain, sanitizeText } from './sanitizeText.ts'

/** A JSON Schema that every client takes: an object at the root, nothing referenced, nothing combined at the root. */
export type PortableSchema = {
  type: 'object'
  properties: Record<string, Schema>
  required: string[]
  additionalProperties: false
}

export type Schema = { [keyword: string]: unknown }

/** The mapped schema and what was lost; or why the original cannot be offered at all. */
export type PortableResult =
  | {
      type: 'portable'
      schema: PortableSchema
      /** The same without the cuts at the root: alternatives stay, and are checked before anything is paid. */
      strict: Schema
      /** Our property name → the function's, where they differ. */
      renamed: Record<string, string>
      /** The root was not an object: the value is in the property `body`. */
      isWrapped: boolean
      notes: string[]
    }
  | { type: 'unusable'; reason: string }

const maximumDepth = 8
const maximumReferenceDepth = 4
const maximumNodes = 512
const maximumEnum = 100
const propertyName = /^[A-Za-z0-9_.-]{1,64}$/
/** The prototype's names: as keys of plain objects they are traps. */
const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype'])

/** Maps a stranger's input schema (JSON Schema, any draft) to a portable one. */
export function portableSchema(original: unknown): PortableResult {
  if (!isSchema(original)) return { type: 'unusable', reason: 'the input schema is not an object' }
  const walk: Walk = { root: original, nodes: 0, notes: new Set() }
  const strict = inline(walk, original, { depth: 0, references: 0 })
  if (walk.nodes > maximumNodes)
    return { type: 'unusable', reason: `the input schema has more than ${maximumNodes} parts` }
  const isObject = isObjectSchema(strict)
  const root = isObject ? flattenRoot(walk, strict) : { properties: { body: strict }, required: ['body'] }
  const { properties, required, renamed } = renameProperties(walk, root)
  const schema: PortableSchema = { type: 'object', properties, required, additionalProperties: false }
  return { type: 'portable', schema, strict, renamed, isWrapped: !isObject, notes: [...walk.notes] }
}

type Walk = { root: Schema; nodes: number; notes: Set<string> }
type Place = { depth: number; references: number }

function inline(walk: Walk, value: unknown, place: Place): Schema {
  walk.nodes += 1
  if (!isSchema(value) || walk.nodes > maximumNodes) return {}
  if (place.depth > maximumDepth) {
    walk.notes.add(`parts deeper than ${maximumDepth} levels accept anything`)
    return {}
  }
  if (typeof value.$ref === 'string') return inlineReference(walk, value.$ref, place)
  const next = { ...place, depth: place.depth + 1 }
  return { ...scalarKeywords(walk, value), ...structure(walk, value, next) }
}

function inlineReference(walk: Walk, reference: string, place: Place): Schema {
  if (!reference.startsWith('#')) {
    walk.notes.add('references to other documents accept anything')
    return {}
  }
  if (place.references >= maximumReferenceDepth) {
    walk.notes.add(`recursive parts are cut at ${maximumReferenceDepth} levels`)
    return {}
  }
  const target = resolvePointer(walk.root, reference)
  if (target === undefined) walk.notes.add('a reference that points nowhere accepts anything')
  return inline(walk, target, { depth: place.depth, references: place.references + 1 })
}

function resolvePointer(root: Schema, reference: string): unknown {
  let at: unknown = root
  for (const part of reference.slice(1).split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isSchema(at) || !Object.hasOwn(at, key)) return Array.isArray(at) ? at[Number(key)] : undefined
    at = at[key]
  }
  return at
}

const numberKeywords = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
] as const
const typeNames = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])
const formats = new Set(['date', 'date-time', 'time', 'email', 'uri', 'uuid', 'ipv4', 'ipv6', 'hostname'])

function scalarKeywords(walk: Walk, value: Schema): Schema {
  const kept: Schema = {}
  if (typeof value.type === 'string' && typeNames.has(value.type)) kept.type = value.type
  for (const keyword of numberKeywords) if (Number.isFinite(value[keyword])) kept[keyword] = value[keyword]
  if (typeof value.uniqueItems === 'boolean') kept.uniqueItems = value.uniqueItems
  if (typeof value.format === 'string' && formats.has(value.format)) kept.format = value.format
  const description = sanitizeText(value.description ?? value.title, 200)
  if (description !== '') kept.description = description
  // A stranger's regular expression could take for ever on the right input.
  if (value.pattern !== undefined) walk.notes.add('patterns are checked by the function only')
  const choices = Array.isArray(value.enum) ? value.enum : Object.hasOwn(value, 'const') ? [value.const] : undefined
  if (!choices) return kept
  if (choices.length > 0 && choices.length <= maximumEnum && choices.every(isPlainChoice)) kept.enum = choices
  else walk.notes.add('a list of values was too long or not plain text and is checked by the function only')
  return kept
}

function isPlainChoice(choice: unknown): boolean {
  if (typeof choice === 'string') return isPlain(choice, 64)
  return choice === null || typeof choice === 'boolean' || Number.isFinite(choice)
}

function structure(walk: Walk, value: Schema, place: Place): Schema {
  const kept: Schema = {}
  const each = (list: unknown) => (Array.isArray(list) ? list.slice(0, 32).map((one) => inline(walk, one, place)) : [])
  if (Array.isArray(value.type)) {
    const names = value.type.filter((name) => typeof name === 'string' && typeNames.has(name))
    // Two spellings of one thing; strict clients know only this one.
    kept.anyOf = names.map((type) => {
      const parts = type === 'object' || type === 'array' ? {} : { properties: undefined, items: undefined }
      return inline(walk, { ...value, ...parts, type, anyOf: undefined, description: undefined }, place)
    })
  }
  for (const keyword of ['oneOf', 'anyOf', 'allOf'] as const) {
    const branches = each(value[keyword])
    if (branches.length > 0) kept[keyword] = branches
  }
  if (isSchema(value.items)) kept.items = inline(walk, value.items, place)
  else if (value.type === 'array') kept.items = {}
  if (isSchema(value.properties)) {
    const properties: Record<string, Schema> = {}
    for (const [name, property] of Object.entries(value.properties)) {
      if (!forbiddenNames.has(name) && (place.depth === 1 || propertyName.test(name)))
        properties[name] = inline(walk, property, place)
      else walk.notes.add('a property with an unusual name is left out')
    }
    kept.type = 'object'
    kept.properties = properties
    const required = Array.isArray(value.required) ? value.required : []
    kept.required = required.filter((name) => typeof name === 'string' && Object.hasOwn(properties, name))
  }
  if (isSchema(value.additionalProperties)) kept.additionalProperties = inline(walk, value.additionalProperties, place)
  return kept
}

function isObjectSchema(schema: Schema): boolean {
  if (schema.type === 'object') return true
  if (schema.type !== undefined || schema.enum !== undefined) return false
  const branches = ['oneOf', 'anyOf', 'allOf'].flatMap((keyword) => (schema[keyword] as Schema[] | undefined) ?? [])
  return branches.length === 0 || branches.every(isObjectSchema)
}

type Root = { properties: Record<string, Schema>; required: string[] }

function flattenRoot(walk: Walk, schema: Schema): Root {
  const own = (schema.properties ?? {}) as Record<string, Schema>
  const properties: Record<string, Schema> = { ...own }
  let required = (schema.required as string[] | undefined) ?? []
  for (const keyword of ['allOf', 'oneOf', 'anyOf'] as const) {
    const branches = ((schema[keyword] as Schema[] | undefined) ?? []).map((branch) => flattenRoot(walk, branch))
    if (branches.length === 0) continue
    for (const branch of branches)
      for (const [name, property] of Object.entries(branch.properties)) properties[name] ??= property
    if (keyword === 'allOf') {
      required = [...required, ...branches.flatMap((branch) => branch.required)]
      continue
    }
    const always =
      branches[0]?.required.filter((name) => branches.every((branch) => branch.required.includes(name))) ?? []
    required = [...required, ...always]
    const alternatives = branches.map((branch) => branch.required.filter(isPropertyName).join(' + ') || 'none required')
    walk.notes.add(`alternatives: ${alternatives.join(' or ')}`)
  }
  return { properties, required: [...new Set(required)] }
}

function isPropertyName(name: string): boolean {
  return propertyName.test(name)
}

function renameProperties(walk: Walk, root: Root): Root & { renamed: Record<string, string> } {
  const properties: Record<string, Schema> = {}
  const renamed: Record<string, string> = {}
  const names = new Map<string, string>()
  for (const [original, schema] of Object.entries(root.properties)) {
    let name = propertyName.test(original)
      ? original
      : original.replace(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 56) || 'field'
    while (!propertyName.test(original) && (Object.hasOwn(properties, name) || Object.hasOwn(root.properties, name)))
      name = `${name}_`
    if (name !== original) {
      renamed[name] = original
      walk.notes.add('a property was renamed')
    }
    names.set(original, name)
    properties[name] = schema
  }
  const required = root.required.flatMap((original) => names.get(original) ?? [])
  return { properties, required, renamed }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
