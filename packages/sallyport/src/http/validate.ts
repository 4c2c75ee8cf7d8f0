/**
 * Holds a part of a request to its schema, and names the first field that fails and the rule it broke.
 *
 * @module
 */

import type { z } from 'zod'
import { invalidField } from '../errors.ts'
import { shownName } from './json.ts'

/** The part as the schema reads it. Throws `INVALID_REQUEST`; values are never repeated in the message. */
export function validate(schema: z.ZodType, value: unknown, part: 'body' | 'query' | 'params'): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0] as z.core.$ZodIssue
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const path = unknown === undefined ? issue.path : [...issue.path, unknown]
  const field = path.map((name) => shownName(String(name))).join('.')
  throw invalidField(field === '' ? part : field, ruleOf(issue, valueAt(value, issue.path), part))
}

function ruleOf(issue: z.core.$ZodIssue, value: unknown, part: string): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return part === 'query' ? 'is not a parameter of this request' : 'is not a field of this request'
    case 'invalid_type':
      return value === undefined ? 'is required' : `must be ${withArticle(issue.expected)}`
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`
    case 'too_small':
      return issue.origin === 'string'
        ? `must have at least ${issue.minimum} characters`
        : `must be at least ${issue.minimum}`
    case 'invalid_value':
      return value === undefined ? 'is required' : `must be one of ${issue.values.map(String).join(', ')}`
    case 'invalid_union':
      return value === undefined ? 'is required' : 'has none of the allowed forms'
    case 'invalid_format':
      return issue.message.startsWith('must ') ? issue.message : 'has the wrong format'
    default:
      return issue.message
  }
}

function withArticle(noun: string): string {
  const word = noun === 'int' ? 'integer' : noun === 'record' ? 'object' : noun
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  )
}
