import { equal, match, notEqual } from 'node:assert/strict'
import { hash } from '@node-rs/argon2'
import { test } from 'vitest'
import { hashPassword, isOutdated, verifyPassword } from './passwords.ts'

const LONG = `${'x'.repeat(127)}`

test('the hash is argon2id with at least 46 MiB and two passes', async () => {
  const stored = await hashPassword('seven purple otters juggle')
  match(stored, /^\$argon2id\$v=19\$m=47104,t=2,p=1\$/)
  notEqual(stored, await hashPassword('seven purple otters juggle'))
})

test('a password is compared as a whole: the last of 128 characters counts', async () => {
  const stored = await hashPassword(`${LONG}a`)
  equal(await verifyPassword(stored, `${LONG}a`), true)
  equal(await verifyPassword(stored, `${LONG}b`), false)
  equal(await verifyPassword(stored, LONG), false)
})

test('case and white space at the ends count', async () => {
  const stored = await hashPassword('Seven purple otters ')
  equal(await verifyPassword(stored, 'Seven purple otters '), true)
  equal(await verifyPassword(stored, 'seven purple otters '), false)
  equal(await verifyPassword(stored, 'Seven purple otters'), false)
})

test('the same characters composed by another keyboard are the same password', async () => {
  const stored = await hashPassword('cafe\u0301 au lait \u{1f375} s\u0327a va')
  equal(await verifyPassword(stored, 'caf\u00e9 au lait \u{1f375} \u015fa va'), true)
})

test('without a stored hash the answer is no', async () => {
  equal(await verifyPassword(null, ''), false)
  equal(await verifyPassword(undefined, 'seven purple otters juggle'), false)
})

test('a hash of weaker parameters is outdated, one of today is not', async () => {
  equal(isOutdated(await hashPassword('seven purple otters juggle')), false)
  equal(isOutdated(await hash('x', { memoryCost: 19_456, timeCost: 2, parallelism: 1 })), true)
  equal(isOutdated(await hash('x', { memoryCost: 47_104, timeCost: 1, parallelism: 1 })), true)
})
