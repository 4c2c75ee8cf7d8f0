/**
 * Reads an email address: one, and nothing beside it.
 *
 * @module
 */

import { invalidField } from '../errors.ts'

/** The atoms of RFC 5321: no quoting, no comments, no display name, and so no second address and no header. */
const ATOMS = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i

/**
 * The address as typed, without the white space around it. Other alphabets are refused in it (a domain in one has its ASCII
 * form): databases disagree on how to compare them without case, and so on who is who.
 *
 * @throws SallyportError `INVALID_REQUEST` naming the field.
 */
export function emailAddress(input: string, field = 'email'): string {
  const address = input.normalize('NFC').trim()
  const at = address.lastIndexOf('@')
  const [local, labels] = [address.slice(0, at), address.slice(at + 1).split('.')]
  const good =
    address.length <= 254 &&
    at > 0 &&
    at <= 64 &&
    ATOMS.test(local) &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label))
  if (!good) throw invalidField(field, 'must be one email address')
  return address
}
