/**
 * The smallest MMDB file there is.
 *
 * @module
 */

export interface MmdbOptions {
  /** Defaults to one of the City form. */
  readonly type?: string
  readonly built?: Date
}

/** One bit of an IPv4 address decides: addresses from 128.0.0.0 on are in Vienna, and of the others nothing is known. */
export function mmdb({ type = 'Test-City', built = new Date() }: MmdbOptions = {}): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([0x40 | value.length]), Buffer.from(value)])
  const map = (entries: readonly (readonly [string, Buffer])[]) =>
    Buffer.concat([Buffer.from([0xe0 | entries.length]), ...entries.flatMap(([key, value]) => [text(key), value])])
  const double = (value: number) => {
    const bytes = Buffer.alloc(9)
    bytes[0] = 0x68
    bytes.writeDoubleBE(value, 1)
    return bytes
  }
  const uint16 = (value: number) => Buffer.from([0xa2, value >> 8, value & 255])
  const uint32 = (value: number) =>
    Buffer.from([0xc4, value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255])
  // Of the extended types, 64 bits among them, the kind is in a byte of its own.
  const uint64 = (value: number) => Buffer.concat([Buffer.from([0x04, 0x02]), uint32(value).subarray(1)])
  const record = map([
    ['country', map([['iso_code', text('AT')]])],
    ['city', map([['names', map([['en', text('Vienna')]])]])],
    [
      'location',
      map([
        ['latitude', double(48.2)],
        ['longitude', double(16.37)],
      ]),
    ],
  ])
  // One node: a first bit of 0 leads to nothing, of 1 to the record, which begins 16 bytes after the tree.
  const tree = Buffer.from([0, 0, 1, 0, 0, 17])
  const metadata = map([
    ['node_count', uint32(1)],
    ['record_size', uint16(24)],
    ['ip_version', uint16(4)],
    ['database_type', text(type)],
    ['build_epoch', uint64(Math.floor(built.getTime() / 1000))],
    ['binary_format_major_version', uint16(2)],
    ['binary_format_minor_version', uint16(0)],
  ])
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    record,
    Buffer.from('abcdef', 'hex'),
    Buffer.from('MaxMind.com'),
    metadata,
  ])
}
