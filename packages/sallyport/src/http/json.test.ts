import { describe, expect, test } from 'vitest'
import { parseJson, shownName } from './json.ts'

const parse = (text: string) => parseJson(new TextEncoder().encode(text))

describe('JSON', () => {
  test.each([
    '{"a":{"b":1},"c":{"b":1}}',
    '[{"a":1},{"a":2},[],{}]',
    '{"a":["a","a",{"a":"a"}],"b":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a\\\\":1,"a":2}',
    '"😀"',
    ' { "a" : [ 1 , 2 ] , "b" : { } } ',
  ])('%s reads as JSON.parse reads it', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test.each([
    ['{"a":1,"b":{"c":1,"c":2}}', 'c'],
    ['[{"a":1,"\\u0061":2}]', 'a'],
    ['{"a":[1,{"b":2}],"a":3}', 'a'],
    ['{"x":{"__proto__":{"admin":true}}}', '__proto__'],
    ['{"x":{"\\u005f_proto__":1}}', '__proto__'],
    ['{"x":[1,-1e400]}', 'x.1'],
    ['{"x":{"y":"\\ud800"}}', 'x.y'],
    ['{"a\\u0000b":1}', 'a\u{fffd}b'],
    ['Infinity', 'body'],
    ['{"a":1}{"b":2}', 'body'],
  ])('%s is refused, naming %s', (text, field) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST', facts: { field } }))
  })

  test('32 levels pass and 33 do not', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(() => parse(nested(32))).not.toThrow()
    expect(() => parse(nested(33))).toThrow(/nested/)
  })

  test('bytes that are no UTF-8 are never mended', () => {
    const quote = 0x22
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      expect(() => parseJson(new Uint8Array([quote, ...bytes, quote]))).toThrow(/UTF-8/)
    }
  })
})

test('a name is shown back short and whole', () => {
  expect(shownName('a'.repeat(100))).toBe(`${'a'.repeat(64)}…`)
  expect(shownName('\ud800\n')).toBe('\u{fffd}\u{fffd}')
})
