import type { Hex } from 'viem'

/** Clients put a prefix before it and cut at 64. */
const maximumLength = 40

type Named = { functionId: Hex; project: string; name: string }

/**
 * A name for each function, by id: `project_function`, and where that is taken, reserved or too long, with the first six
 * digits of the function's id. It depends on names and ids only, so prices and versions never rename a tool.
 */
export function toolNames(functions: readonly Named[]): Map<Hex, string> {
  const plain = new Map<string, Hex[]>()
  for (const one of functions) {
    const name = plainName(one)
    plain.set(name, [...(plain.get(name) ?? []), one.functionId])
  }
  const names = new Map<Hex, string>()
  for (const [name, ids] of plain) {
    const isClear = ids.length === 1 && name.length <= maximumLength && !isReserved(name)
    for (const id of ids) names.set(id, isClear ? name : withSuffix(name, id, ids))
  }
  return names
}

function plainName({ project, name }: Named): string {
  const words = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
  const joined = [words(project), words(name)].filter((part) => part !== '').join('_')
  return /^[a-z]/.test(joined) ? joined : `fn_${joined}`
}

/** Names that would pass for ours, or for a host's own tools. */
function isReserved(name: string): boolean {
  return /^peer(_|host|$)|^(filesystem|bash|shell|terminal|computer|browser|fetch|search|memory|mcp)(_|$)/.test(name)
}

function withSuffix(name: string, id: Hex, rivals: readonly Hex[]): string {
  const digits = suffixLength(rivals)
  const suffix = id.slice(2, 2 + digits).toLowerCase()
  const safe = isReserved(name) ? `fn_${name}` : name
  return `${safe.slice(0, maximumLength - digits - 1).replace(/_+$/, '')}_${suffix}`
}

/** Six, or as many as tell these ids apart. */
function suffixLength(ids: readonly Hex[]): number {
  for (let digits = 6; digits < 32; digits += 2) {
    if (new Set(ids.map((id) => id.slice(2, 2 + digits).toLowerCase())).size === ids.length) return digits
  }
  return 32
}
