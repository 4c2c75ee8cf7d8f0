/**
 * Writes what `@sallyport/client` knows of the API: its types, and the table of its operations, both from the OpenAPI document that the
 * routes describe themselves by.
 *
 * @module
 */

import type { OpenApiDocument, OpenApiOperation } from '../packages/sallyport/src/http/openapi.ts'
import type { JsonSchema } from '../packages/sallyport/src/http/published.ts'

interface Operation {
  readonly method: string
  /** Below the base path. */
  readonly path: string
  readonly about: OpenApiOperation
}

/** The operations under the base path; what stands beside it has its own kind of client. */
function operationsOf({ paths }: OpenApiDocument, basePath: string): readonly Operation[] {
  return Object.entries(paths)
    .filter(([path]) => path.startsWith(`${basePath}/`))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, about]) => ({ method, path: path.slice(basePath.length), about })),
    )
}

/** The module of the table. */
export function writeOperations(document: OpenApiDocument, basePath = '/api'): string {
  const rows = operationsOf(document, basePath).map(({ method, path, about }) => {
    const asked = about.security.length === 0 ? method : method.toUpperCase()
    return `${about.operationId}: '${asked}${outputOf(about) === 'Response' ? '*' : ''}${path}',`
  })
  return `/**
 * Each operation's method, in lower case where nobody need be signed in, a star where a file is answered, and the path. Written by
 * \`npm run generate\`.
 *
 * @module
 */

import type { Operations } from './api.ts'

export const OPERATIONS: Readonly<Record<keyof Operations, string>> = {
  ${rows.join('\n')}
}
`
}

/** The module of the types. */
export function writeTypes(document: OpenApiDocument, basePath = '/api'): string {
  const operations = operationsOf(document, basePath)
  const codes = new Set<string>()
  const facts: Record<string, JsonSchema> = {}
  for (const problem of operations.flatMap(({ about }) => problemsOf(about))) {
    for (const [name, schema] of Object.entries(problem.properties ?? {})) {
      if (name === 'error') for (const code of schema['enum'] as string[]) codes.add(code)
      else facts[name] = schema
    }
  }
  const { Problem: _, ...schemas } = document.components.schemas
  return `/**
 * What the API takes and answers. Written by \`npm run generate\`.
 *
 * @module
 */

/** The stable code of each refusal and fault. */
export type ApiErrorCode = ${literals([...codes].sort())}

/** What may accompany a refusal. */
export type ProblemFacts = ${typeOf({ type: 'object', properties: facts, additionalProperties: false })}

${Object.entries(schemas)
  .map(
    ([name, schema]) =>
      `${comment(schema['description'] ?? `\`${name}\` of the API.`)}export type ${name} = ${typeOf(schema)}\n`,
  )
  .join('\n')}
/** Every operation: what it takes, in one flat object, and what it resolves to. */
export interface Operations {
${operations
  .map(
    ({ about }) => `${comment(about.summary, about.description)}readonly ${about.operationId}: {
  readonly input: ${inputOf(about)}
  readonly output: ${outputOf(about)}
}`,
  )
  .join('\n')}
}
`
}

function problemsOf({ responses }: OpenApiOperation): readonly JsonSchema[] {
  return Object.values(responses).flatMap(({ content = {} }) => {
    const problem = content['application/problem+json']
    return problem === undefined ? [] : [problem.schema]
  })
}

function inputOf({ operationId, parameters = [], requestBody }: OpenApiOperation): string {
  const body = requestBody === undefined ? undefined : Object.values(requestBody.content)[0]?.schema
  if (body !== undefined && body.type !== 'object') throw new TypeError(`${operationId}: its body is no object`)
  const properties: Record<string, JsonSchema> = {}
  const required: string[] = [...(body?.required ?? [])]
  for (const { name, schema, required: must } of parameters) {
    properties[name] = schema
    if (must) required.push(name)
  }
  for (const [name, schema] of Object.entries(body?.properties ?? {})) {
    if (Object.hasOwn(properties, name)) throw new TypeError(`${operationId}: ${name} is both parameter and field`)
    properties[name] = schema
  }
  if (Object.keys(properties).length === 0) return 'Readonly<Record<never, never>>'
  return typeOf({ type: 'object', properties, required, additionalProperties: false }, ' | undefined')
}

/** What is no JSON is handed on as the answer that it came in, so that it can be read as a stream. */
function outputOf({ operationId, responses }: OpenApiOperation): string {
  const bodies = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, { content = {} }]) => {
      const [found] = Object.entries(content)
      // The client reads JSON, or hands on: nothing says that nothing comes.
      if (found === undefined) throw new TypeError(`${operationId}: an answer without content`)
      const [type, { schema }] = found
      return type === 'application/json' ? typeOf(schema) : 'Response'
    })
  return [...new Set(bodies)].join(' | ')
}

/**
 * A JSON Schema as a type. What it does not know, it refuses to guess.
 *
 * @param orNothing What may also stand in a field of an object that may be left out.
 */
function typeOf(schema: JsonSchema, orNothing = ''): string {
  const { type, $ref, properties, required = [], items, additionalProperties } = schema
  if ($ref !== undefined) return $ref.replace('#/components/schemas/', '')
  if (schema['const'] !== undefined) return literals([schema['const']])
  if (schema['enum'] !== undefined) return literals(schema['enum'] as unknown[])
  const either = (schema['anyOf'] ?? schema['oneOf']) as JsonSchema[] | undefined
  if (either !== undefined) return either.map((one) => parenthesised(typeOf(one, orNothing))).join(' | ')
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one }, orNothing)).join(' | ')
  switch (type) {
    case undefined:
      return 'unknown'
    case 'null':
    case 'boolean':
    case 'string':
      return type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return `readonly ${parenthesised(typeOf(items ?? {}, orNothing))}[]`
    case 'object': {
      const fields = Object.entries(properties ?? {}).map(([name, field]) => {
        const type = typeOf(field, orNothing)
        const tail = required.includes(name) ? `: ${type}` : `?: ${type}${orNothing}`
        return `${comment(field['description'])}readonly ${name}${tail}`
      })
      if (typeof additionalProperties === 'object') {
        if (fields.length === 0) return `Readonly<Record<string, ${typeOf(additionalProperties, orNothing)}>>`
        return `{ ${fields.join('\n')}\nreadonly [field: string]: unknown }`
      }
      return `{ ${fields.join('\n')} }`
    }
    default:
      throw new TypeError(`no type for ${JSON.stringify(schema)}`)
  }
}

function parenthesised(type: string): string {
  return /^readonly |[|]/.test(type) ? `(${type})` : type
}

function literals(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(' | ')
}

function comment(...lines: readonly unknown[]): string {
  const text = lines.filter((line) => typeof line === 'string').join('\n *\n * ')
  return text === '' ? '' : `\n/** ${text.replaceAll('*/', '* /')} */\n`
}
