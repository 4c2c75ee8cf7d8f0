import { describe, expect, test } from 'vitest'
import type { OpenApiDocument, OpenApiOperation } from '../packages/sallyport/src/http/openapi.ts'
import type { JsonSchema } from '../packages/sallyport/src/http/published.ts'
import { writeOperations, writeTypes } from './client-types.ts'

const object = (properties: Record<string, JsonSchema>, required: string[] = Object.keys(properties)): JsonSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const answering = (type: string, schema: JsonSchema): OpenApiOperation['responses'] => ({
  200: { description: 'It.', content: { [type]: { schema } } },
})
const REFUSED: OpenApiOperation['responses'] = {
  409: {
    description: 'Refused.',
    content: {
      'application/problem+json': {
        schema: {
          $ref: '#/components/schemas/Problem',
          properties: { error: { enum: ['CONFLICT'] }, field: { type: 'string' } },
        },
      },
    },
  },
}
const operation = (operationId: string, more: Partial<OpenApiOperation>): OpenApiOperation => ({
  operationId,
  tags: [],
  summary: 'Do it.',
  security: [{ accessToken: [] }],
  responses: answering('application/json', object({ success: { const: true } })),
  ...more,
})
const taking = (schema: JsonSchema): Pick<OpenApiOperation, 'parameters' | 'requestBody'> => ({
  parameters: [{ name: 'thingId', in: 'path', required: true, schema: { type: 'string' } }],
  requestBody: { required: true, content: { 'application/json': { schema } } },
})
const documentOf = (paths: OpenApiDocument['paths']): OpenApiDocument => ({
  openapi: '3.1.0',
  info: { title: 't', version: '1', description: 'd' },
  tags: [],
  paths,
  components: {
    schemas: { Problem: {}, Thing: object({ id: { type: 'string' }, size: { type: ['integer', 'null'] } }) },
    headers: {},
    securitySchemes: {},
  },
})
const things = { things: { type: 'array', items: { $ref: '#/components/schemas/Thing' } } }
const DOCUMENT = documentOf({
  '/api/things/{thingId}': {
    patch: operation('changeThing', {
      ...taking(object({ size: { type: 'integer' }, kind: { enum: ['a', 'b'] } }, ['kind'])),
      responses: { ...answering('application/json', object(things)), ...REFUSED },
    }),
  },
  '/api/file': {
    get: operation('getFile', { security: [], responses: answering('application/zip', { type: 'string' }) }),
  },
  '/elsewhere': { get: operation('elsewhere', {}) },
})
const squeezed = (text: string) => text.replaceAll(/\/\*\*.*?\*\//gs, '').replaceAll(/\s+/g, ' ')

test('the table says the method, whether anyone may ask, whether a file comes, and the path', () => {
  const table = writeOperations(DOCUMENT)
  expect(table).toContain("changeThing: 'PATCH/things/{thingId}',")
  expect(table).toContain("getFile: 'get*/file',")
  expect(table).not.toContain('elsewhere')
})

describe('the types', () => {
  const types = squeezed(writeTypes(DOCUMENT))

  test('put parameters and fields into one object, where what may be left out may also be undefined', () => {
    expect(types).toContain(
      'input: { readonly thingId: string readonly size?: number | undefined readonly kind: "a" | "b" }',
    )
  })

  test('resolve to what is answered, to named things by their names, and to a Response for a file', () => {
    expect(types).toContain('output: { readonly things: readonly Thing[] }')
    expect(types).toContain('export type Thing = { readonly id: string readonly size: number | null }')
    expect(types).toContain(
      'readonly getFile: { readonly input: Readonly<Record<never, never>> readonly output: Response }',
    )
  })

  test('list every code, and what comes along', () => {
    expect(types).toContain('export type ApiErrorCode = "CONFLICT"')
    expect(types).toContain('export type ProblemFacts = { readonly field?: string }')
  })

  test('refuse to guess: a name that is there twice, a form that is not known, an answer of nothing', () => {
    const written = (more: Partial<OpenApiOperation>) => () =>
      writeTypes(documentOf({ '/api/x': { post: operation('x', more) } }))
    expect(written(taking(object({ thingId: { type: 'string' } })))).toThrow('thingId is both parameter and field')
    expect(written(taking({ type: 'string' }))).toThrow('its body is no object')
    expect(written(taking(object({ odd: { type: 'file' } })))).toThrow('no type for')
    expect(written({ responses: { 204: { description: 'Done.' } } })).toThrow('an answer without content')
  })
})
