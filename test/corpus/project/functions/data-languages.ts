import yaml from 'js-yaml'
import { modify, parse as parseJsonc, parseTree } from 'jsonc-parser'
import { parse as parseToml, stringify as writeToml } from 'smol-toml'
import { parse as parseYaml2, stringify as writeYaml2 } from 'yaml'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  'js-yaml': () => [
    yaml.load('a: &x [1, 0x1f, ~, 2024-01-01]\nb: *x\nc: |\n  t\n'),
    yaml.dump({ a: ['x: y', 1.5], b: null }),
  ],
  yaml: () => [parseYaml2('a: 1\n? [b]\n: !!set {x}\n'), writeYaml2({ long: 'word '.repeat(30), n: [1, { a: 2 }] })],
  toml: () => [parseToml('a = 1.5\nt = 07:32:00\n[x.y]\nz = [1, 2]'), writeToml({ a: { b: [1, 'x'] } })],
  jsonc: () => [
    parseJsonc('{/*c*/"a":[1,],}'),
    parseTree('{"a":1}')?.children?.length,
    modify('{"a":1}', ['b'], 2, {}),
  ],
}
export default answerCase(cases)
