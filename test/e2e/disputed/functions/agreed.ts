/** Three workers have to agree on each answer. */
export const config = { deterministic: true, quorum: 3, description: 'Answers with the squares of three numbers.' }

export default () => Response.json({ squares: [1, 2, 3].map((value) => value ** 2) })
