import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { completeNodes, consistencyRanges, inclusionRanges, type Range, rangeHash } from './merkle-proofs.ts'
import { EMPTY_ROOT, Frontier, leafHashOf, nodeHash, verifyConsistency, verifyInclusion } from './merkle.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

// The other implementation: the recursive definitions of RFC 6962 section 2.1 over hexadecimal text and BigInt, which
// share no line with what they check.
const sha = (text: string): string => createHash('sha256').update(Buffer.from(text, 'hex')).digest('hex')
const k = (n: bigint): bigint => {
  let power = 1n
  while (power << 1n < n) power <<= 1n
  return power
}
function MTH(d: readonly string[]): string {
  if (d.length === 0) return sha('')
  if (d.length === 1) return sha(`00${d[0]}`)
  const at = Number(k(BigInt(d.length)))
  return sha(`01${MTH(d.slice(0, at))}${MTH(d.slice(at))}`)
}
function PATH(m: number, d: readonly string[]): string[] {
  if (d.length === 1) return []
  const at = Number(k(BigInt(d.length)))
  return m < at ? [...PATH(m, d.slice(0, at)), MTH(d.slice(at))] : [...PATH(m - at, d.slice(at)), MTH(d.slice(0, at))]
}
function SUBPROOF(m: number, d: readonly string[], whole: boolean): string[] {
  if (m === d.length) return whole ? [] : [MTH(d)]
  const at = Number(k(BigInt(d.length)))
  return m <= at
    ? [...SUBPROOF(m, d.slice(0, at), whole), MTH(d.slice(at))]
    : [...SUBPROOF(m - at, d.slice(at), false), MTH(d.slice(0, at))]
}
/** Climbs from the leaf by the definition of the tree, taking hashes from the end of the proof. */
function rootByProof(m: bigint, n: bigint, leaf: string, proof: readonly string[]): string | undefined {
  if (n === 1n) return proof.length === 0 && m === 0n ? leaf : undefined
  const last = proof.at(-1)
  if (last === undefined) return undefined
  const at = k(n)
  const inner =
    m < at ? rootByProof(m, at, leaf, proof.slice(0, -1)) : rootByProof(m - at, n - at, leaf, proof.slice(0, -1))
  if (inner === undefined) return undefined
  return m < at ? sha(`01${inner}${last}`) : sha(`01${last}${inner}`)
}

const entries = Array.from({ length: 70 }, (_, at) => Buffer.from(`entry ${at}`).toString('hex'))

function grow(leaves: readonly string[]): Frontier {
  const frontier = new Frontier()
  for (const leaf of leaves) frontier.append(leafHashOf(hex(leaf)))
  return frontier
}

/** Puts the ranges of a proof together from complete subtrees, as the store does. */
function hashesOf(ranges: readonly Range[], leaves: readonly string[]): Buffer[] {
  return ranges.map((range) =>
    rangeHash(
      completeNodes(range).map(({ level, index }) => {
        const width = 2 ** level
        return grow(leaves.slice(index * width, (index + 1) * width)).root()
      }),
    ),
  )
}

describe('hashing', () => {
  test('the published roots of sizes 0 to 8', () => {
    const frontier = new Frontier()
    expect(frontier.root().toString('hex')).toBe(ROOTS[0])
    for (const [at, leaf] of LEAVES.entries()) {
      frontier.append(leafHashOf(hex(leaf)))
      expect(frontier.root().toString('hex')).toBe(ROOTS[at + 1])
    }
  })

  test('the published hashes of a leaf and a node', () => {
    expect(leafHashOf('L123456').toString('hex')).toBe(
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    )
    expect(nodeHash(Buffer.from('N123'), Buffer.from('N456')).toString('hex')).toBe(
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    )
    expect(EMPTY_ROOT.toString('hex')).toBe(ROOTS[0])
  })
})

describe('the frontier', () => {
  test('has the root of the definition at every size, also when written and read again', () => {
    let frontier = new Frontier()
    for (const [at, entry] of entries.entries()) {
      frontier.append(leafHashOf(hex(entry)))
      frontier = Frontier.fromBytes(frontier.size, frontier.toBytes())
      expect(frontier.root().toString('hex')).toBe(MTH(entries.slice(0, at + 1)))
    }
  })

  test('tells each complete subtree once, with its hash', () => {
    const told = new Map<string, string>()
    const frontier = new Frontier()
    for (const entry of entries) {
      frontier.append(leafHashOf(hex(entry)), ({ level, index, hash }) => {
        expect(told.has(`${level}/${index}`)).toBe(false)
        told.set(`${level}/${index}`, hash.toString('hex'))
      })
    }
    expect(told.size).toBe(35 + 17 + 8 + 4 + 2 + 1)
    for (const [place, hash] of told) {
      const [level, index] = place.split('/').map(Number) as [number, number]
      expect(hash).toBe(MTH(entries.slice(index * 2 ** level, (index + 1) * 2 ** level)))
    }
  })

  test('refuses hashes of another number or length', () => {
    expect(() => new Frontier(3, [EMPTY_ROOT])).toThrow(TypeError)
    expect(() => new Frontier(1, [Buffer.alloc(31)])).toThrow(TypeError)
    expect(() => Frontier.fromBytes(1, Buffer.alloc(33))).toThrow(TypeError)
    expect(() => new Frontier().append(Buffer.alloc(0))).toThrow(TypeError)
    expect(() => new Frontier(-1)).toThrow(TypeError)
  })
})

describe('inclusion', () => {
  test('every leaf of every size is proved as the definition proves it, and both verifiers agree', () => {
    for (let size = 1; size <= entries.length; size++) {
      const part = entries.slice(0, size)
      const root = hex(MTH(part))
      for (let leafIndex = 0; leafIndex < size; leafIndex++) {
        const expected = PATH(leafIndex, part)
        const leafHash = leafHashOf(hex(part[leafIndex] as string))
        expect(rootByProof(BigInt(leafIndex), BigInt(size), leafHash.toString('hex'), expected)).toBe(MTH(part))
        const hashes = expected.map(hex)
        expect(verifyInclusion({ leafIndex, treeSize: size, leafHash, hashes, root })).toBe(true)
        if (size % 9 === 0 || size < 10) {
          expect(hashesOf(inclusionRanges(leafIndex, size), part).map((hash) => hash.toString('hex'))).toEqual(expected)
        }
      }
    }
  })

  test('whatever is changed about a proof, both verifiers judge it alike', () => {
    const change = fc.constantFrom('flip', 'drop', 'double', 'index', 'size', 'root', 'leaf', 'swap')
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), change, (size, seed, which, kind) => {
        const part = entries.slice(0, size)
        let leafIndex = seed % size
        let treeSize = size
        let root: Buffer = hex(MTH(part))
        let leafHash = leafHashOf(hex(part[leafIndex] as string))
        let hashes: Buffer[] = PATH(leafIndex, part).map(hex)
        const at = hashes.length === 0 ? 0 : which % hashes.length
        if (kind === 'flip') hashes = hashes.map((hash, i) => (i === at ? nodeHash(hash, hash) : hash))
        if (kind === 'drop') hashes = hashes.filter((_, i) => i !== at)
        if (kind === 'double') hashes = [...hashes, hashes[at] ?? root]
        if (kind === 'index') leafIndex = which % 80
        if (kind === 'size') treeSize = which % 80
        if (kind === 'root') root = nodeHash(root, root)
        if (kind === 'leaf') leafHash = root
        if (kind === 'swap') hashes = hashes.toReversed()
        const theirs =
          leafIndex < treeSize &&
          rootByProof(
            BigInt(leafIndex),
            BigInt(treeSize),
            leafHash.toString('hex'),
            hashes.map((h) => h.toString('hex')),
          ) === root.toString('hex')
        expect(verifyInclusion({ leafIndex, treeSize, leafHash, hashes, root })).toBe(theirs)
      }),
      { numRuns: 1500 },
    )
  })

  test('a leaf hash of another length proves nothing, not even the empty one of an empty root', () => {
    const claim = { leafIndex: 0, treeSize: 1, hashes: [] }
    expect(verifyInclusion({ ...claim, leafHash: Buffer.alloc(0), root: Buffer.alloc(0) })).toBe(false)
    expect(verifyInclusion({ ...claim, leafHash: Buffer.alloc(33), root: Buffer.alloc(33) })).toBe(false)
    expect(verifyInclusion({ ...claim, treeSize: 0, leafHash: EMPTY_ROOT, root: EMPTY_ROOT })).toBe(false)
    expect(verifyInclusion({ ...claim, leafIndex: -1, leafHash: EMPTY_ROOT, root: EMPTY_ROOT })).toBe(false)
    expect(verifyInclusion({ ...claim, leafIndex: 0.5, leafHash: EMPTY_ROOT, root: EMPTY_ROOT })).toBe(false)
  })

  test('sizes beyond 32 bits are proved', () => {
    const size = 2 ** 40 + 12_345
    const ranges = inclusionRanges(2 ** 40 + 1, size)
    expect(ranges.length).toBeLessThan(63)
    const hashes = ranges.map((_, at) => leafHashOf(`${at}`))
    const leafHash = leafHashOf('leaf')
    const root = rootByProof(
      2n ** 40n + 1n,
      BigInt(size),
      leafHash.toString('hex'),
      hashes.map((h) => h.toString('hex')),
    )
    expect(
      verifyInclusion({ leafIndex: 2 ** 40 + 1, treeSize: size, leafHash, hashes, root: hex(root as string) }),
    ).toBe(true)
  })
})

describe('consistency', () => {
  test('every pair of sizes is proved as the definition proves it', () => {
    for (let second = 1; second <= 40; second++) {
      for (let first = 1; first <= second; first++) {
        const expected = SUBPROOF(first, entries.slice(0, second), true)
        const claim = {
          firstSize: first,
          secondSize: second,
          firstRoot: hex(MTH(entries.slice(0, first))),
          secondRoot: hex(MTH(entries.slice(0, second))),
          hashes: expected.map(hex),
        }
        expect(verifyConsistency(claim), `${first} to ${second}`).toBe(true)
        expect(hashesOf(consistencyRanges(first, second), entries).map((hash) => hash.toString('hex'))).toEqual(
          expected,
        )
        for (const [at] of expected.entries()) {
          expect(verifyConsistency({ ...claim, hashes: claim.hashes.filter((_, i) => i !== at) })).toBe(false)
          const flipped = claim.hashes.map((hash, i) => (i === at ? EMPTY_ROOT : hash))
          expect(verifyConsistency({ ...claim, hashes: flipped })).toBe(false)
        }
        expect(verifyConsistency({ ...claim, hashes: [...claim.hashes, EMPTY_ROOT] })).toBe(false)
        expect(verifyConsistency({ ...claim, firstRoot: EMPTY_ROOT })).toBe(false)
        expect(verifyConsistency({ ...claim, secondRoot: EMPTY_ROOT })).toBe(false)
      }
    }
  })

  test('a first size of 0 is refused whatever the proof, and so is a tree that shrank', () => {
    const root = hex(MTH(entries))
    const from = { firstRoot: EMPTY_ROOT, secondRoot: root, secondSize: entries.length }
    expect(verifyConsistency({ ...from, firstSize: 0, hashes: [] })).toBe(false)
    expect(verifyConsistency({ ...from, firstSize: 0, hashes: [root] })).toBe(false)
    expect(() => consistencyRanges(0, 3)).toThrow(TypeError)
    expect(verifyConsistency({ firstSize: 3, secondSize: 2, firstRoot: root, secondRoot: root, hashes: [] })).toBe(
      false,
    )
  })
})
