/**
 * Makes a plausible value for a JSON Schema: for examples in the documentation, and for sweeps over all routes.
 *
 * @module
 */

import type { JsonSchema } from './published.ts'

/** A value that `schema` describes: its own example where it has one. Optional fields are left out. */
export function sampleOf(schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>> = {}): unknown {
  const referred =
    schema.$ref === undefined ? undefined : definitions[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]
  if (referred !== undefined) return sampleOf(referred, definitions)
  for (const keyword of ['examples', 'enum', 'anyOf', 'oneOf'] as const) {
    const [first] = Array.isArray(schema[keyword]) ? (schema[keyword] as unknown[]) : []
    if (first !== undefined) return keyword.endsWith('Of') ? sampleOf(first as JsonSchema, definitions) : first
  }
  if (schema['default'] !== undefined) return schema['default']
  if (schema['const'] !== undefined) return schema['const']
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, sampleOf(schema.properties?.[name] ?? {}, definitions)]),
      )
    case 'array':
      return schema.items === undefined ? [] : [sampleOf(schema.items, definitions)]
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? Math.max(schema['minimum'], 0) : 0
    case 'boolean':
      return true
    case 'string':
      return '…'.padEnd(typeof schema['minLength'] === 'number' ? schema['minLength'] : 1, '…')
    default:
      return null
  }
}
