/**
 * What a schema says of itself in the API's documents, where its JSON Schema cannot be derived from its code.
 *
 * @module
 */

import { z } from 'zod'

/** The JSON Schema keywords that a field is documented with. */
export interface PublishedField {
  readonly type?: string
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly maxProperties?: number
  readonly enum?: readonly string[]
  readonly default?: unknown
  readonly description?: string
  readonly examples?: readonly unknown[]
}

interface Published {
  readonly field?: PublishedField
  /** Set for a schema that has a name of its own under `components.schemas`. */
  readonly id?: string
}

const published = z.registry<Published>()

/** Documents `schema` by the keywords of `field`: in place of what is derived from its code if they have a `type`, else beside it. */
export function publish<S extends z.ZodType>(schema: S, field: PublishedField): S {
  published.add(schema, { field })
  return schema
}

/** Gives `schema` a name in the document, so that it is described once and referred to. */
export function nameSchema<S extends z.ZodType>(id: string, schema: S): S {
  published.add(schema, { id })
  return schema
}

/** A JSON Schema (2020-12), as far as this code looks into one. */
export interface JsonSchema {
  [keyword: string]: unknown
  type?: string | string[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  additionalProperties?: JsonSchema | boolean
  $ref?: string
  $defs?: Record<string, JsonSchema>
}

/** The JSON Schema of what a client sends (`input`) or receives (`output`). Named schemas stand under `$defs`. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    metadata: published as unknown as z.core.$ZodRegistry<Record<string, unknown>>,
    override({ zodSchema, jsonSchema }) {
      const field = published.get(schemaOf(zodSchema))?.field
      // What the registry holds is for this file; the name of a schema is where it stands in the document.
      delete jsonSchema['field']
      delete jsonSchema['id']
      const { description, examples } = z.globalRegistry.get(schemaOf(zodSchema)) ?? {}
      if (description !== undefined) jsonSchema.description = description
      if (Array.isArray(examples)) jsonSchema.examples = examples
      // A type of its own replaces what was derived; anything less is added to it.
      if (field?.type !== undefined) for (const keyword of Object.keys(jsonSchema)) delete jsonSchema[keyword]
      Object.assign(jsonSchema, field)
    },
  })
  return json as JsonSchema
}

/** Zod hands its overrides the core of a schema; the registries are keyed by the same object. */
function schemaOf(core: z.core.$ZodType): z.ZodType {
  return core as unknown as z.ZodType
}
