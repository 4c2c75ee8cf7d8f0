/**
 * Tells whether a text can be stored, logged and shown as it is.
 *
 * @module
 */

// C0, DEL and C1: NUL ends strings in databases, the rest writes lines and colours into logs and mails.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/** What is wrong with `text`, as the end of a sentence; `undefined` when nothing is. */
export function textFault(text: string): string | undefined {
  if (CONTROL.test(text)) return 'must not contain control characters'
  if (!text.isWellFormed()) return 'must not contain unpaired surrogates'
  return undefined
}
