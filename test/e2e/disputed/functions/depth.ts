/** Says that it is deterministic, and is not: how deep a call stack goes depends on what the compiler made of it. */
export const config = { deterministic: true, description: 'Counts how deep it can call itself.' }

function descend(depth: number): number {
  try {
    return descend(depth + 1)
  } catch {
    return depth
  }
}

export default () => Response.json({ depth: descend(0) })
