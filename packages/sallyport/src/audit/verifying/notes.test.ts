import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.ts'
import { completeNodes, inclusionRanges, rangeHash } from './merkle-proofs.ts'
import { Frontier, leafHashOf } from './merkle.ts'
import { NoteError, readVerifierKey, signNote, verifyNote, writeVerifierKey } from './signed-note.ts'
import { readTlogProof, verifyTlogProof, writeTlogProof } from './tlog-proof.ts'

const SPEC_KEY = readVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k')
const SPEC_NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'

const LOG_VKEY = 'audit.example.com/t/acme+69c7475d+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c'
const WITNESS_VKEY = 'witness.example.net/w1+0abc1f19+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU'
const LOG = readVerifierKey(LOG_VKEY)
const WITNESS = readVerifierKey(WITNESS_VKEY)
const BODY = 'audit.example.com/t/acme\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n'
const LOG_LINE =
  '— audit.example.com/t/acme acdHXevTU5E84lUK5pRX3nJOEz0K8Rcbwc6c/rrU0Zgz8ndGUTNcsPWyLPm4Ey8OIa7xhG88F0rnNTRJQOvZu0Q1awE=\n'
const WITNESS_LINE =
  '— witness.example.net/w1 CrwfGQAAAABpVbkAGRAqOGcEVdmIUSvPxImrTWl9Uz+BpUVA8iZsQDDQVeuf2v1v4v+JZH32SU04uC02YrsuX/WPUX4GcjeYhfgnDw==\n'
const CHECKPOINT = `${BODY}\n${LOG_LINE}${WITNESS_LINE}`

const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (text) => leafHashOf(Buffer.from(text, 'hex')),
)

function privateKey(seed: number): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

describe('signed notes', () => {
  test('the note of the specification holds under its key', () => {
    const { text, held } = verifyNote(SPEC_NOTE, [SPEC_KEY])
    expect(text).toBe('This is an example message.\n')
    expect(held.map(({ key }) => key.name)).toEqual(['example.com/foo'])
  })

  test('one changed character anywhere in the text ends it', () => {
    for (let at = 0; at < 'This is an example message.'.length; at++) {
      const changed = `${SPEC_NOTE.slice(0, at)}~${SPEC_NOTE.slice(at + 1)}`
      expect(() => verifyNote(changed, [SPEC_KEY])).toThrow(NoteError)
    }
  })

  test('a note without a known signature is refused, and one by an unknown key is passed over', () => {
    expect(() => verifyNote(SPEC_NOTE, [LOG])).toThrow('no signature is by a known key')
    const signed = signNote('This is an example message.\n', 'other.example', privateKey(7))
    const both = `${SPEC_NOTE}${signed.split('\n\n')[1]}`
    expect(verifyNote(both, [SPEC_KEY]).held).toHaveLength(1)
    expect(verifyNote(both, [SPEC_KEY]).signatures).toHaveLength(2)
  })

  test('a known signature that fails ends the note, whatever others hold', () => {
    const other = `— example.com/foo ${Buffer.concat([Buffer.from('530d903a', 'hex'), Buffer.alloc(64)]).toString('base64')}\n`
    expect(() => verifyNote(SPEC_NOTE.replace('\n\n', `\n\n${other}`), [SPEC_KEY])).toThrow('does not hold')
  })

  test('text with an empty line of its own is split at the last one', () => {
    const key = privateKey(9)
    const note = signNote('one\n\ntwo\n', 'n', key)
    const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
    expect(verifyNote(note, [readVerifierKey(writeVerifierKey('n', raw))]).text).toBe('one\n\ntwo\n')
  })

  test.each([
    ['no final line break', SPEC_NOTE.slice(0, -1)],
    ['no signature', 'text\n\n'],
    ['a control character', SPEC_NOTE.replace('is an', 'is\u0007an')],
    ['a signature line with a hyphen for its dash', SPEC_NOTE.replace('—', '-')],
    ['base64 spelt another way', SPEC_NOTE.replace('aQM=', 'aQN=')],
    ['nothing', ''],
  ])('%s is no note', (_, note) => {
    expect(() => verifyNote(note, [SPEC_KEY])).toThrow(NoteError)
  })

  test('sixteen signatures and more are taken', () => {
    const lines = Array.from({ length: 20 }, (_, at) => signNote('t\n', `k${at}`, privateKey(at + 1)).split('\n\n')[1])
    const raw = createPublicKey(privateKey(20)).export({ format: 'der', type: 'spki' }).subarray(-32)
    expect(verifyNote(`t\n\n${lines.join('')}`, [readVerifierKey(writeVerifierKey('k19', raw))]).held).toHaveLength(1)
  })

  test('a key whose id is not its own, or of a form that is none, is refused', () => {
    expect(() => readVerifierKey(LOG_VKEY.replace('69c7475d', '69c7475e'))).toThrow(NoteError)
    expect(() => readVerifierKey(LOG_VKEY.replace('+69c7475d', ''))).toThrow(NoteError)
    expect(() => readVerifierKey(`a b${LOG_VKEY}`)).toThrow(NoteError)
    expect(() => signNote('t\n', 'a+b', privateKey(1))).toThrow(TypeError)
    expect(() => signNote('t', 'a', privateKey(1))).toThrow(TypeError)
  })
})

describe('checkpoints', () => {
  test('the full vector: made again byte for byte, verified with its witness', () => {
    const raw = createPublicKey(privateKey(1)).export({ format: 'der', type: 'spki' }).subarray(-32)
    expect(writeVerifierKey('audit.example.com/t/acme', raw)).toBe(LOG_VKEY)
    const frontier = new Frontier()
    for (const leaf of LEAVES) frontier.append(leaf)
    const made = signCheckpoint({ origin: LOG.name, size: 8, root: frontier.root() }, privateKey(1))
    expect(made).toBe(`${BODY}\n${LOG_LINE}`)

    const checkpoint = verifyCheckpoint(CHECKPOINT, LOG, [WITNESS])
    expect(checkpoint).toMatchObject({ origin: LOG.name, size: 8 })
    expect(checkpoint.root.equals(frontier.root())).toBe(true)
    expect(checkpoint.cosigned).toEqual([{ key: WITNESS, time: 0x6955b900 }])
  })

  test('a witness is no log: its signature alone, or a broken one of it, is not enough', () => {
    expect(() => verifyCheckpoint(`${BODY}\n${WITNESS_LINE}`, LOG, [WITNESS])).toThrow('not signed by its log')
    const broken = WITNESS_LINE.replace('GRAqOGcE', 'GRAqOGcF')
    expect(() => verifyCheckpoint(`${BODY}\n${LOG_LINE}${broken}`, LOG, [WITNESS])).toThrow('does not hold')
    expect(verifyCheckpoint(`${BODY}\n${LOG_LINE}${broken}`, LOG).cosigned).toEqual([])
  })

  test('a checkpoint of another log under the same key is refused', () => {
    const note = signNote(
      'audit.example.com/t/other\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
      LOG.name,
      privateKey(1),
    )
    expect(() => verifyCheckpoint(note, LOG)).toThrow('another log')
  })

  test.each([
    ['a leading zero', '08\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n'],
    ['a size beyond what can be counted', '9999999999999999\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n'],
    ['a short root', '8\nXcnaeacGWamtVZy3Ad7Zog==\n'],
    ['a missing root', '8\n'],
    ['an empty extension line', '8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\nmore\n'],
  ])('%s is no checkpoint', (_, body) => {
    const note = signNote(`${LOG.name}\n${body}`, LOG.name, privateKey(1))
    expect(() => readCheckpoint(note)).toThrow(NoteError)
  })
})

describe('proof files', () => {
  const leafIndex = 5
  const hashes = inclusionRanges(leafIndex, 8).map((range) =>
    rangeHash(
      completeNodes(range).map(({ level, index }) => {
        const part = new Frontier()
        for (const leaf of LEAVES.slice(index * 2 ** level, (index + 1) * 2 ** level)) part.append(leaf)
        return part.root()
      }),
    ),
  )
  const file = writeTlogProof({ leafIndex, hashes, checkpoint: CHECKPOINT })

  test('reads back, and verifies for the leaf that it is of and for no other', () => {
    expect(readTlogProof(file)).toEqual({ leafIndex, hashes, checkpoint: CHECKPOINT })
    expect(verifyTlogProof(file, LEAVES[5] as Buffer, LOG, [WITNESS])).toMatchObject({ size: 8, leafIndex: 5 })
    for (const [at, leaf] of LEAVES.entries()) {
      if (at !== 5) expect(() => verifyTlogProof(file, leaf, LOG)).toThrow('not in the log')
    }
  })

  test('an extra line is read past; any other change is found', () => {
    const extra = file.replace('\nindex', `\nextra ${Buffer.from('for you').toString('base64')}\nindex`)
    expect(verifyTlogProof(extra, LEAVES[5] as Buffer, LOG)).toMatchObject({ leafIndex: 5 })
    for (const changed of [
      file.replace('index 5', 'index 4'),
      file.replace('index 5', 'index 05'),
      file.replace('@v1', '@v2'),
      file.replace(hashes[0]?.toString('base64') as string, hashes[1]?.toString('base64') as string),
      file.replace('\n8\n', '\n7\n'),
      'c2sp.org/tlog-proof@v1\n',
    ]) {
      expect(() => verifyTlogProof(changed, LEAVES[5] as Buffer, LOG)).toThrow(NoteError)
    }
  })
})
