/**
 * Refuses request schemas that leave anything open: unknown fields, text without an end, numbers without a range.
 *
 * @module
 */

import type { z } from 'zod'
import { type JsonSchema, jsonSchemaOf } from './published.ts'

/** Reports each part of `schema` that a client could fill without limit. */
export function assertBounded(schema: z.ZodType, report: (where: string, rule: string) => void): void {
  const root = jsonSchemaOf(schema, 'input')
  const definitions = root.$defs ?? {}

  const visit = (json: JsonSchema, where: string): void => {
    const referred = json.$ref === undefined ? undefined : definitions[json.$ref.replace('#/$defs/', '')]
    if (referred !== undefined) return visit(referred, where)
    for (const variant of [json['anyOf'], json['oneOf'], json['allOf']].flat()) {
      if (variant !== undefined) visit(variant as JsonSchema, where)
    }
    if (json['enum'] !== undefined || json['const'] !== undefined) return
    if (json.type === 'string' && json['maxLength'] === undefined) report(where, 'a string needs a maximum length')
    if (json.type === 'integer' || json.type === 'number') {
      if (json['minimum'] === undefined || json['maximum'] === undefined) report(where, 'a number needs a range')
    }
    if (json.type === 'array') {
      if (json['maxItems'] === undefined) report(where, 'an array needs a maximum length')
      if (json.items !== undefined) visit(json.items, `${where}[]`)
    }
    if (json.type === 'object') {
      for (const [name, property] of Object.entries(json.properties ?? {})) visit(property, `${where}.${name}`)
      if (typeof json.additionalProperties === 'object') {
        if (json['maxProperties'] === undefined) report(where, 'a record needs a maximum size')
        visit(json.additionalProperties, `${where}.*`)
      } else if (json.additionalProperties !== false) {
        report(where, 'an object must be strict: use z.strictObject')
      }
    }
    if (
      json.type === undefined &&
      json['anyOf'] === undefined &&
      json['oneOf'] === undefined &&
      json['allOf'] === undefined
    ) {
      report(where, 'a field needs a type')
    }
  }
  visit(root, '')
}
