/**
 * Rows as columns: one array parameter for each column, its element type told, so that a statement takes many rows at once
 * and a driver can send them in PostgreSQL's binary form, which neither side has to spell out or parse.
 *
 * @module
 */

const OIDS = {
  bool: 16,
  bytea: 17,
  int4: 23,
  text: 25,
  float8: 701,
  timestamptz: 1184,
  uuid: 2950,
  jsonb: 3802,
} as const

export type ColumnType = keyof typeof OIDS

/** Dates for `timestamptz`, bytes for `bytea`, JSON text for `jsonb`; else as one would think. */
export type ColumnValue = string | number | boolean | Date | Uint8Array | null | undefined

/** The values of one column. `undefined` is null. */
export class Column {
  readonly type: ColumnType
  readonly values: readonly ColumnValue[]
  constructor(type: ColumnType, values: readonly ColumnValue[]) {
    this.type = type
    this.values = values
  }
}

/** A column of a rowset, and how it is read off what a row is made of. */
export interface RowsetColumn<Of> {
  readonly type: ColumnType
  readonly of: (one: Of) => ColumnValue
}

/** The columns of a rowset by their names in SQL. */
export type Rowset<Of> = Readonly<Record<string, RowsetColumn<Of>>>

/**
 * A FROM item with the rows of a rowset and their position (`at`, from 1). An array is read by its index here, because
 * `unnest` of many arrays makes a tuple store for each.
 *
 * The condition always holds. It has the planner expect one row, and so go by index to whatever is joined: it plans once, and
 * tables that are small then grow. From within a SELECT the count tells it nothing: a plan made anew for each call would take
 * longer than running it.
 *
 * @param first The number of the first parameter: one says how many rows there are, then comes one for each column.
 */
export function rowsetSql<Of>(rowset: Rowset<Of>, first: number): string {
  const columns = Object.entries(rowset).map(
    ([name, { type }], at) => `($${first + 1 + at}::${type}[])[n.at] as ${name}`,
  )
  return `(select n.at, ${columns.join(', ')} from generate_series(1, (select $${first}::int4)) n (at)
    where n.at = n.at + 0 and n.at = n.at - 0)`
}

/** The parameters of {@link rowsetSql}. */
export function rowsetValues<Of>(rowset: Rowset<Of>, rows: readonly Of[]): readonly (number | Column)[] {
  return [rows.length, ...Object.values(rowset).map(({ type, of }) => new Column(type, rows.map(of)))]
}

const HEADER_BYTES = 20
/** Microseconds from 1970 to 2000, where PostgreSQL's time begins. */
const EPOCH_2000_MS = 946_684_800_000

/** The array in the binary form of PostgreSQL (array_recv): dimensions, then each element behind its length, -1 for null. */
export function binaryColumn({ type, values }: Column): Buffer {
  const size = HEADER_BYTES + values.reduce<number>((sum, value) => sum + 4 + sizeOf(type, value), 0)
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeInt32BE(values.length === 0 ? 0 : 1, 0)
  bytes.writeInt32BE(values.some((value) => value == null) ? 1 : 0, 4)
  bytes.writeInt32BE(OIDS[type], 8)
  if (values.length === 0) return bytes.subarray(0, 12)
  bytes.writeInt32BE(values.length, 12)
  bytes.writeInt32BE(1, 16)
  let at = HEADER_BYTES
  for (const value of values) {
    if (value == null) {
      at = bytes.writeInt32BE(-1, at)
      continue
    }
    const length = write(bytes, at + 4, type, value)
    bytes.writeInt32BE(length, at)
    at += 4 + length
  }
  return bytes
}

function sizeOf(type: ColumnType, value: ColumnValue): number {
  if (value == null) return 0
  switch (type) {
    case 'bool':
      return 1
    case 'int4':
      return 4
    case 'float8':
    case 'timestamptz':
      return 8
    case 'uuid':
      return 16
    case 'bytea':
      return (value as Uint8Array).length
    case 'jsonb':
      return 1 + Buffer.byteLength(value as string)
    case 'text':
      return Buffer.byteLength(value as string)
  }
}

/** @returns How many bytes the element has. */
function write(bytes: Buffer, at: number, type: ColumnType, value: NonNullable<ColumnValue>): number {
  switch (type) {
    case 'bool':
      return bytes.writeUInt8(value === true ? 1 : 0, at) - at
    case 'int4':
      return bytes.writeInt32BE(value as number, at) - at
    case 'float8':
      return bytes.writeDoubleBE(value as number, at) - at
    case 'timestamptz':
      return bytes.writeBigInt64BE(BigInt((value as Date).getTime() - EPOCH_2000_MS) * 1000n, at) - at
    case 'uuid': {
      const hex = (value as string).replaceAll('-', '')
      if (hex.length !== 32 || bytes.write(hex, at, 16, 'hex') !== 16)
        throw new TypeError('a uuid column holds no uuid')
      return 16
    }
    case 'bytea':
      bytes.set(value as Uint8Array, at)
      return (value as Uint8Array).length
    case 'jsonb':
      // The version of the binary form.
      bytes[at] = 1
      return 1 + bytes.write(value as string, at + 1)
    case 'text':
      return bytes.write(value as string, at)
  }
}

/** The array as the text of a literal. */
export function textColumn({ type, values }: Column): string {
  return `{${values.map((value) => (value == null ? 'null' : quoted(elementText(type, value)))).join(',')}}`
}

function elementText(type: ColumnType, value: NonNullable<ColumnValue>): string {
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) {
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`
  }
  if (type === 'float8' && !Number.isFinite(value)) throw new TypeError('a number must be finite')
  return String(value)
}

function quoted(element: string): string {
  return `"${element.replaceAll(/["\\]/g, '\\$&')}"`
}
