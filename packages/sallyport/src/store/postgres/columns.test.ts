import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ColumnType, ColumnValue } from './columns.ts'
import { binaryColumn, Column, rowsetSql, rowsetValues, textColumn } from './columns.ts'

const UUID = '0190f5fe-7c00-7a00-8000-00000000abcd'
const BYTES = Buffer.from([0, 1, 0x5c, 0x22, 255])

/** Values that a careless spelling would break, and nulls between them. */
const VALUES: Readonly<Record<ColumnType, readonly ColumnValue[]>> = {
  bool: [true, null, false],
  bytea: [BYTES, null, new Uint8Array()],
  int4: [0, -2_147_483_648, null, 2_147_483_647],
  text: ['', 'null', 'NULL', 'a,"b"\\c{}', 'Köln 🜁', ' spaced ', null, undefined],
  float8: [0.1, -1e300, null, 5e-324],
  timestamptz: [new Date('2030-01-02T03:04:05.678Z'), new Date('1999-12-31T23:59:59.999Z'), null],
  uuid: [UUID, null],
  jsonb: ['{"a": [1, "\\"ü"]}', 'null', null],
}

let pglite: PGlite
beforeAll(async () => {
  pglite = await PGlite.create()
}, 60_000)
afterAll(() => pglite.close())

for (const type of Object.keys(VALUES) as ColumnType[]) {
  test(`${type}: the binary form is what PostgreSQL itself sends for the text form`, async () => {
    const column = new Column(type, VALUES[type])
    const { rows } = await pglite.query<{ sent: Uint8Array }>(
      `select array_send('${textColumn(column).replaceAll("'", "''")}'::${type}[]) as sent`,
    )
    expect(binaryColumn(column).toString('hex')).toBe(Buffer.from(rows[0]?.sent ?? []).toString('hex'))
  })
}

test('a rowset is read back row by row', async () => {
  const rowset = {
    name: { type: 'text', of: (one: { readonly n: number }) => `row ${one.n}` },
    odd: { type: 'int4', of: (one: { readonly n: number }) => (one.n % 2 === 1 ? one.n : null) },
  } as const
  const values = rowsetValues(rowset, [{ n: 1 }, { n: 2 }, { n: 3 }])
  const bound = rowsetSql(rowset, 1).replaceAll(/\$(\d)/g, (_, at: string) => {
    const value = values[Number(at) - 1]
    return value instanceof Column ? `'${textColumn(value)}'` : String(value)
  })
  expect((await pglite.query(`select * from ${bound} r order by at`)).rows).toEqual([
    { at: 1, name: 'row 1', odd: 1 },
    { at: 2, name: 'row 2', odd: null },
    { at: 3, name: 'row 3', odd: 3 },
  ])
})

test('what is no value of its type is refused before it is sent', () => {
  expect(() => binaryColumn(new Column('uuid', ['0190f5fe']))).toThrow(TypeError)
  expect(() => binaryColumn(new Column('uuid', ['z'.repeat(32)]))).toThrow(TypeError)
  expect(() => textColumn(new Column('float8', [Number.NaN]))).toThrow(TypeError)
})
