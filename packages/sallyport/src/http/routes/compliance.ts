/**
 * Compliance: exports, the evidence bundle, the checklist.
 *
 * @module
 */

import { z } from 'zod'
import type { DatasetName, ExportFormat } from '../../evidence/datasets.ts'
import { DATASET_NAMES, EXPORT_FORMATS } from '../../evidence/datasets.ts'
import { createBundle } from '../../evidence/create-bundle.ts'
import { evaluateChecklist } from '../../evidence/evaluate-checklist.ts'
import { exportDataset } from '../../evidence/export-dataset.ts'
import { personAsking } from '../../evidence/requester.ts'
import type { Route } from '../route.ts'
import { publish } from '../published.ts'
import { instantText, timestamp } from '../schemas.ts'
import type { ApiEngine } from './engine.ts'
import { apiRoute } from './engine.ts'

const FILES = DATASET_NAMES.flatMap((name) => [name, ...EXPORT_FORMATS.map((format) => `${name}.${format}`)])

/** A dataset and, behind a dot, a format; `json` where there is none. */
const file = publish(
  z.enum(FILES as [string, ...string[]]).transform((name) => {
    const [dataset, format = 'json'] = name.split('.')
    return { dataset: dataset as DatasetName, format: format as ExportFormat }
  }),
  { type: 'string', enum: FILES, examples: ['audit-logs.csv'] },
)

export const complianceRoutes: readonly Route<ApiEngine>[] = [
  apiRoute({
    method: 'GET',
    path: '/api/compliance/export/:file',
    name: 'exportDataset',
    tag: 'Compliance',
    summary: 'Export a dataset of the tenant: complete, or visibly failed.',
    description:
      'Periods are half-open and have at most 400 days; without one, the export has the 400 days up to now. Of the audit log a period is of recorded_at, of tokens of issued_at, else of created_at; staff-access is as of now. One export of a tenant runs at a time. In CSV, cells that a spreadsheet would run are defused by a leading apostrophe.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    stepUp: 'data_export',
    audit: { action: ['DATA_EXPORT_STARTED', 'DATA_EXPORT_COMPLETED'], failure: 'DATA_EXPORT_FAILED' },
    params: { file },
    query: {
      from: instantText.optional(),
      to: instantText.optional(),
      device: z.enum(['include', 'omit']).optional(),
    },
    responses: {
      200: { description: 'The file, as a stream.', content: 'application/octet-stream' },
    },
    errors: ['INVALID_RANGE', 'CONFLICT'],
    async handle({ guard: { engine }, caller, request, params, query }) {
      const { body, fileName, contentType } = await exportDataset(engine, personAsking(caller, request), {
        ...params.file,
        ...query,
      })
      return {
        status: 200,
        body,
        headers: { 'content-type': contentType, 'content-disposition': `attachment; filename="${fileName}"` },
      }
    },
  }),

  apiRoute({
    method: 'GET',
    path: '/api/compliance/checklist',
    name: 'getChecklist',
    tag: 'Compliance',
    summary: 'The SOC 2 checklist, each statement evaluated now against the running system.',
    auth: 'session',
    mutates: false,
    permission: 'SETTINGS_SECURITY_VIEW',
    responses: {
      200: {
        description: 'Every statement with its verdict, and what the verdict rests on.',
        body: z.strictObject({
          evaluatedAt: timestamp,
          window: z
            .int()
            .describe('Counts are of so many of the newest events, and of the oldest and the newest rows of a table.'),
          summary: z.strictObject({ pass: z.int(), fail: z.int(), attention: z.int() }),
          controls: z.array(
            z.strictObject({
              id: z.string(),
              statement: z.string(),
              criteria: z.array(z.string()).describe('Trust Services Criteria.'),
              verdict: z.enum(['pass', 'fail', 'attention']),
              evidence: z.record(
                z.string(),
                z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]),
              ),
              link: z.string().describe('Where the evidence is, under the base path of the API.'),
            }),
          ),
        }),
      },
    },
    async handle({ guard: { engine }, caller }) {
      return { status: 200, body: await evaluateChecklist(engine, caller.tenantId, engine.routes) }
    },
  }),

  apiRoute({
    method: 'POST',
    path: '/api/compliance/evidence-bundles',
    name: 'createEvidenceBundle',
    tag: 'Compliance',
    summary: 'Make the evidence bundle of a period: one ZIP that is verified offline.',
    description:
      'It holds every dataset and report, the checkpoints and proofs that cover its audit rows, the queries, the checklist, and a signed manifest. `sallyport verify` checks it.',
    auth: 'session',
    mutates: true,
    permission: 'SETTINGS_SECURITY_VIEW',
    stepUp: 'data_export',
    audit: {
      action: ['DATA_EXPORT_STARTED', 'DATA_EXPORT_COMPLETED'],
      failure: 'DATA_EXPORT_FAILED',
      resource: 'evidence-bundle',
    },
    body: {
      from: instantText.optional(),
      to: instantText.optional(),
      device: z.enum(['include', 'omit']).optional(),
    },
    responses: { 200: { description: 'The ZIP, as a stream.', content: 'application/zip' } },
    errors: ['INVALID_RANGE', 'CONFLICT'],
    async handle({ guard: { engine }, caller, request, body: input }) {
      const { body, fileName } = await createBundle(engine, personAsking(caller, request), input)
      return { status: 200, body, headers: { 'content-disposition': `attachment; filename="${fileName}"` } }
    },
  }),
]
