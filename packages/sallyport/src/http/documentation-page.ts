/**
 * Renders the OpenAPI document as one HTML page that loads nothing: no script, style, font or image from anywhere.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { ERROR_STATUS, type ErrorCode } from '../errors.ts'
import { PAGE_SCRIPT, PAGE_STYLE } from './documentation-assets.ts'
import type { OpenApiDocument, OpenApiOperation } from './openapi.ts'
import { FACTS, FACTS_OF, titleOf } from './problem.ts'
import type { JsonSchema } from './published.ts'
import { sampleOf } from './sample.ts'

/** A page, and the only policy under which its own style and script run. */
export interface DocumentationPage {
  readonly html: string
  readonly contentSecurityPolicy: string
}

/** Text of the document that is markup by now; everything else is escaped where it is put in. */
class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = string | number | undefined | Markup | readonly Part[]

/** A template in which whatever is put in is escaped, unless it was made by this function itself. */
function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((string, index) => (index === 0 ? '' : rendered(parts[index - 1])) + string).join(''))
}

function rendered(part: Part): string {
  if (part === undefined) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map(rendered).join('')
  return String(part).replaceAll(/[&<>"'\u2028\u2029]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** The page for `document`, whose JSON is served at `documentPath`. */
export function documentationPage(document: OpenApiDocument, documentPath: string): DocumentationPage {
  const { info, tags } = document
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const groups = tags.map(({ name }) => ({
    name,
    members: operations.filter(({ operation }) => operation.tags.includes(name)),
  }))

  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} API</title>
<style>${new Markup(PAGE_STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the endpoints</a>
<nav aria-label="Endpoints">
<p class="brand">${info.title} <small>API v${info.version}</small></p>
<label class="filter"><span>Filter</span><input id="filter" type="search" autocomplete="off" spellcheck="false" placeholder="path, permission, action …"></label>
${groups.map(
  ({ name, members }) =>
    html`<section><h2>${name}</h2><ul>${members.map(
      ({ path, method, operation }) =>
        html`<li data-find="${searchText(path, method, operation)}"><a href="#${operation.operationId}"><b class="m ${method}">${method}</b><span>${breakable(path)}</span></a></li>`,
    )}</ul></section>`,
)}
<section><h2>Reference</h2><ul><li><a href="#objects">Objects</a></li><li><a href="#errors">Error codes</a></li><li><a href="${documentPath}">OpenAPI document</a></li></ul></section>
</nav>
<main id="main">
<header><h1>${info.title} API</h1><p>${prose(info.description)}</p>
<p class="meta">${operations.length} endpoints. The same document for machines: <a href="${documentPath}"><code>${documentPath}</code></a></p></header>
<p id="none" role="status" hidden>No endpoint matches the filter.</p>
${groups.map(({ name, members }) => html`<section class="group"><h2>${name}</h2>${members.map((one) => endpoint(one, document))}</section>`)}
${objects(document)}
${errorCodes()}
</main>
<script>${new Markup(PAGE_SCRIPT)}</script>
</body>
</html>
`
  return {
    html: page.text,
    contentSecurityPolicy: [
      "default-src 'none'",
      `style-src ${hashOf(PAGE_STYLE)}`,
      `script-src ${hashOf(PAGE_SCRIPT)}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  }
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

interface Endpoint {
  readonly path: string
  readonly method: string
  readonly operation: OpenApiOperation
}

function searchText(path: string, method: string, operation: OpenApiOperation): string {
  const { summary, tags } = operation
  const marks = [operation['x-permission'], operation['x-step-up'], ...(operation['x-audit'] ?? [])]
  return [method, path, summary, ...tags, ...marks].join(' ').toLowerCase()
}

function endpoint({ path, method, operation }: Endpoint, document: OpenApiDocument): Markup {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation
  const [bodyType, body] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const successes = Object.entries(responses).filter(([status]) => Number(status) < 400)
  const failures = Object.entries(responses).filter(([status]) => Number(status) >= 400)
  return html`<article id="${operationId}" data-find="${searchText(path, method, operation)}">
<h3><a href="#${operationId}" aria-label="Link to this endpoint"><b class="m ${method}">${method}</b> <code>${breakable(path)}</code></a></h3>
<p class="summary">${prose(summary)}</p>
${description === undefined ? undefined : html`<p>${prose(description)}</p>`}
<p class="badges">${badges(operation)}</p>
${
  parameters.length === 0
    ? undefined
    : html`<h4>Parameters</h4>${table(
        parameters.map((one) => row(one.name, one.schema, one.required, document, one.in)),
        true,
      )}`
}
${body === undefined ? undefined : html`<h4>Request <code>${bodyType}</code></h4>${fields(body.schema, document)}`}
${successes.map(([status, { description: meaning, content }]) => {
  const [type, answer] = Object.entries(content ?? {})[0] ?? []
  return html`<h4><b class="s">${status}</b> ${meaning}${type === undefined || type === 'application/json' ? undefined : html` <code>${type}</code>`}</h4>
${answer === undefined || type !== 'application/json' ? undefined : fields(answer.schema, document)}`
})}
<details><summary>Errors</summary><ul class="errors">${failures.map(
    ([status, response]) =>
      html`<li><b class="s">${status}</b> ${codesOf(response).map((code) => html`<a href="#${code}"><code>${code}</code></a> `)}</li>`,
  )}</ul></details>
<div class="curl"><button type="button" data-copy>Copy</button><pre tabindex="0" aria-label="Example with curl"><code>${curl(path, method, operation, document)}</code></pre></div>
</article>
`
}

function badges(operation: OpenApiOperation): Markup[] {
  const schemes = operation.security.flatMap((one) => Object.keys(one))
  const open = operation.security.length === 0 || operation.security.some((one) => Object.keys(one).length === 0)
  const badge = (kind: string, label: string, value: Part) =>
    html`<span class="badge ${kind}"><span>${label}</span> ${value}</span> `
  const badgeList = [
    badge('auth', 'auth', schemes.length === 0 ? 'none' : schemes.join(' or ') + (open ? ' (optional)' : '')),
  ]
  const permission = operation['x-permission']
  if (permission !== undefined) {
    badgeList.push(
      badge(
        'permission',
        operation['x-permission-scope'] === 'others' ? "permission for others'" : 'permission',
        permission,
      ),
    )
  }
  if (operation['x-step-up'] !== undefined) badgeList.push(badge('step-up', 'step-up', operation['x-step-up']))
  const audit = operation['x-audit'] ?? []
  if (audit.length > 0) badgeList.push(badge('audit', 'audit', audit.join(', ')))
  return badgeList
}

function codesOf(response: OpenApiOperation['responses'][string]): string[] {
  const { properties } = response.content?.['application/problem+json']?.schema ?? {}
  return (properties?.['error']?.['enum'] ?? []) as string[]
}

function table(rows: readonly Markup[], withPlace = false): Markup {
  return html`<div class="scroll"><table><thead><tr><th>Field</th><th>Type</th>${withPlace ? html`<th>In</th>` : undefined}<th>Rules</th></tr></thead><tbody>${rows}</tbody></table></div>`
}

/** The fields of an object, those of the objects inside it indented below them. */
function fields(schema: JsonSchema, document: OpenApiDocument): Markup {
  const target = resolved(schema, document)
  const rows = fieldRows(target, document, '', 0)
  return rows.length === 0 ? html`<p class="none">No fields.</p>` : table(rows)
}

function fieldRows(schema: JsonSchema, document: OpenApiDocument, prefix: string, depth: number): Markup[] {
  // Five levels show every object of this API; a schema that contains itself would show no end.
  if (depth > 5) return []
  const variants = (schema['oneOf'] ?? schema['anyOf'] ?? []) as JsonSchema[]
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = `${prefix}${name}`
    const required = schema.required?.includes(name) ?? false
    return [row(path, property, required, document), ...innerRows(property, document, path, depth)]
  })
  return [...own, ...variants.flatMap((variant) => fieldRows(resolved(variant, document), document, prefix, depth + 1))]
}

/** What is inside a field. An object with a name of its own is described in its own place, and linked from here. */
function innerRows(property: JsonSchema, document: OpenApiDocument, path: string, depth: number): Markup[] {
  const variants = [property, ...((property['anyOf'] ?? []) as JsonSchema[])].filter((one) => one.$ref === undefined)
  return variants.flatMap((one) => {
    if (one.type === 'object') return fieldRows(one, document, `${path}.`, depth + 1)
    const item = one.type === 'array' && one.items?.$ref === undefined ? one.items : undefined
    return item?.type === 'object' ? fieldRows(item, document, `${path}[].`, depth + 1) : []
  })
}

function row(name: string, schema: JsonSchema, required: boolean, document: OpenApiDocument, place?: string): Markup {
  const target = resolved(schema, document)
  return html`<tr><td><code>${breakable(name)}</code>${required ? undefined : html` <i>optional</i>`}</td><td>${typeName(schema)}</td>${
    place === undefined ? undefined : html`<td>${place}</td>`
  }<td>${rulesOf(target)}</td></tr>`
}

function typeName(schema: JsonSchema): Markup {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref)
    return html`<a href="#schema-${name}">${name}</a>`
  }
  const variants = (schema['anyOf'] ?? schema['oneOf']) as JsonSchema[] | undefined
  if (variants !== undefined) {
    // Two variants of one type read the same, and are said once.
    const names = new Map(variants.map(typeName).map((name) => [name.text, name]))
    return html`${[...names.values()].map((name, index) => (index === 0 ? name : html` or ${name}`))}`
  }
  if (schema.type === 'array') return html`list of ${schema.items === undefined ? 'anything' : typeName(schema.items)}`
  const type = [schema.type ?? 'any'].flat().join(' or ')
  return typeof schema['format'] === 'string' ? html`${type} <small>${schema['format']}</small>` : html`${type}`
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1)
}

function rulesOf(schema: JsonSchema): Part {
  const rules: Part[] = []
  if (typeof schema['description'] === 'string') rules.push(prose(schema['description']), ' ')
  if (Array.isArray(schema['enum'])) {
    rules.push(
      'One of ',
      (schema['enum'] as unknown[]).map((value) => html`<code>${String(value)}</code> `),
    )
  }
  if (schema['format'] !== 'uuid') {
    const [least, most] = [schema['minLength'], schema['maxLength']]
    if (typeof most === 'number') rules.push(`${typeof least === 'number' ? least : 0} to ${most} characters. `)
  }
  const [low, high] = [schema['minimum'], schema['maximum']]
  if (typeof low === 'number' && typeof high === 'number' && high < Number.MAX_SAFE_INTEGER)
    rules.push(`${low} to ${high}. `)
  if (typeof schema['maxItems'] === 'number') rules.push(`At most ${schema['maxItems']} items. `)
  if (typeof schema['maxProperties'] === 'number') rules.push(`At most ${schema['maxProperties']} entries. `)
  if (schema['default'] !== undefined) rules.push(html`Default <code>${JSON.stringify(schema['default'])}</code>. `)
  return rules
}

function resolved(schema: JsonSchema, { components }: OpenApiDocument): JsonSchema {
  return schema.$ref === undefined ? schema : (components.schemas[nameOf(schema.$ref)] ?? schema)
}

function curl(path: string, method: string, operation: OpenApiOperation, { components }: OpenApiDocument): string {
  const { parameters = [], requestBody, security } = operation
  const sample = (schema: JsonSchema) => String(sampleOf(schema, components.schemas))
  const query = parameters.filter((one) => one.in === 'query' && one.required)
  const filled = parameters
    .filter((one) => one.in === 'path')
    .reduce((text, one) => text.replace(`{${one.name}}`, sample(one.schema)), path)
  const search = query.map((one) => `${one.name}=${encodeURIComponent(sample(one.schema))}`).join('&')
  const [scheme] = security.flatMap((one) => Object.keys(one))
  const [type, body] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const lines = [`curl ${method === 'GET' ? '' : `-X ${method} `}"$BASE${filled}${search === '' ? '' : `?${search}`}"`]
  if (scheme !== undefined)
    lines.push(`-H "Authorization: Bearer $${scheme.replaceAll(/[A-Z]/g, '_$&').toUpperCase()}"`)
  if (body !== undefined && type !== undefined) {
    const value = sampleOf(body.schema, components.schemas)
    const text =
      type === 'application/json'
        ? JSON.stringify(value)
        : new URLSearchParams(value as Record<string, string>).toString()
    lines.push(`-H "Content-Type: ${type}"`, `-d '${text.replaceAll("'", "'\\''")}'`)
  }
  return lines.join(' \\\n  ')
}

/** Text in which what stands between backticks is code. */
function prose(text: string): Markup[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`))
}

/** The objects that have a name, each described once. */
function objects(document: OpenApiDocument): Markup {
  const entries = Object.entries(document.components.schemas).sort(([a], [b]) => (a < b ? -1 : 1))
  return html`<section class="group" id="objects"><h2>Objects</h2>${entries.map(
    ([name, schema]) =>
      html`<article id="schema-${name}"><h3><code>${name}</code></h3>${
        typeof schema['description'] === 'string' ? html`<p>${prose(schema['description'])}</p>` : undefined
      }${fields(schema, document)}</article>`,
  )}</section>`
}

/** Lets a long path or field name break at its separators, so that the page fits a narrow screen. */
function breakable(text: string): Markup[] {
  return text.split(/(?<=[/.])/).map((part) => html`${part}<wbr>`)
}

/** Every code of the API: where the `type` of a problem points. */
function errorCodes(): Markup {
  const rows = (Object.keys(ERROR_STATUS) as ErrorCode[])
    // Never answered: from outside it is an internal fault like any other.
    .filter((code) => code !== 'CONFIG_INVALID')
    .map(
      (code) =>
        html`<tr id="${code}"><td><code>${code}</code></td><td><b class="s">${ERROR_STATUS[code]}</b></td><td>${titleOf(code)}</td><td>${(
          FACTS_OF[code] ?? []
        ).map((fact) => html`<span title="${FACTS[fact].description}"><code>${fact}</code></span> `)}</td></tr>`,
    )
  return html`<section class="group" id="errors"><h2>Error codes</h2>
<p>The <code>error</code> of every problem, its status, and what else the problem may carry.</p>
<div class="scroll"><table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th><th>Facts</th></tr></thead><tbody>${rows}</tbody></table></div></section>`
}
