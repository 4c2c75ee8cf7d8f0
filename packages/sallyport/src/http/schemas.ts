/**
 * The fields that requests share and the objects that answers share, each stated once.
 *
 * Every text is bounded, and nothing here can take longer for a hostile value than for an honest one.
 *
 * @module
 */

import { z } from 'zod'
import { ROLES } from '../directory/roles.ts'
import { isId } from '../ids.ts'
import { nameSchema, publish, type PublishedField } from './published.ts'

const UUID_FIELD: PublishedField = {
  type: 'string',
  format: 'uuid',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  minLength: 36,
  maxLength: 36,
  examples: ['0198c0de-7a11-7c3e-9f00-3c0ffee0cafe'],
}

/** An id in the form that this system issues. `idOf<SessionId>()` gives one of that type. */
export function idOf<T extends string>(): z.ZodType<T, string> {
  const schema = z.string().refine(isId, 'must be a UUID in lower case')
  return publish(schema, UUID_FIELD) as unknown as z.ZodType<T, string>
}

/** What every text of a request is held to before its schema is asked; stated here for the documents. */
const PLAIN = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$'

/** Text for people: of `min` to `max` code points, in NFC, so that equal texts are equal. */
export function text(max: number, { min = 1, ...field }: PublishedField & { readonly min?: number } = {}): z.ZodString {
  const schema = z
    .string()
    // Before anything looks at the text: no more than this many units can make `max` code points in NFC.
    .max(max * 4, { abort: true, error: `must have at most ${max} characters` })
    .normalize('NFC')
    .refine((value) => codePoints(value) <= max, { error: `must have at most ${max} characters` })
    .refine((value) => codePoints(value) >= min, {
      error: min === 1 ? 'must not be empty' : `must have at least ${min} characters`,
    })
  return publish(schema, { type: 'string', minLength: min, maxLength: max, pattern: PLAIN, ...field })
}

function codePoints(value: string): number {
  let count = 0
  for (const _ of value) count++
  return count
}

/** Text that machines made (a token, a code, a challenge), compared byte for byte and never normalised. */
export function opaque(
  max: number,
  { min = 1, ...field }: PublishedField & { readonly min?: number } = {},
): z.ZodString {
  const schema = z.string().max(max, { abort: true }).min(min)
  return publish(schema, { type: 'string', minLength: min, maxLength: max, pattern: PLAIN, ...field })
}

const LOCAL_PART = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
const DOMAIN = '(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const EMAIL = new RegExp(`^${LOCAL_PART}@${DOMAIN}$`)

/**
 * One address and nothing else (RFC 5321's dot-string form): no display name, no comment, no quoting, no second address.
 * Kept as typed, since mail goes to it; look-ups compare it without case.
 */
export const email: z.ZodString = publish(
  z
    .string()
    .max(254, { abort: true })
    .refine((value) => EMAIL.test(value) && value.indexOf('@') <= 64, { error: 'must be one email address' }),
  {
    type: 'string',
    format: 'email',
    pattern: EMAIL.source,
    minLength: 3,
    maxLength: 254,
    description: 'One email address. Kept as typed and compared without case.',
    examples: ['ada@example.com'],
  },
)

/** A person's name. */
export const name: z.ZodString = text(200, { description: 'As people read it.', examples: ['Ada Lovelace'] })

/** The name of a tenant. */
export const tenantName: z.ZodString = text(200, {
  description: 'As people read it.',
  examples: ['Analytical Engines'],
})

/** A password as typed. The rules for good ones are the directory's; here it is only kept from being absurd. */
export const password: z.ZodString = opaque(512, {
  format: 'password',
  description: 'Any Unicode. A new one has 15 to 128 characters, or 8 where each sign-in asks for a second factor.',
  examples: ['correct horse battery staple'],
})

/** Why a person does what they do, in their words. */
export const reason: z.ZodString = text(500, { examples: ['Ticket 4711: cannot see the invoice'] })

/** A code typed from an app, a mail or a list. */
export const code: z.ZodString = opaque(64, { examples: ['123456'] })

/** A token that this system issued, of any kind. */
export const token: z.ZodString = opaque(4096, { examples: ['sprt_…'] })

/** The purpose of a step-up. */
export const purpose: z.ZodString = opaque(64, { pattern: '^[a-z][a-z_]*$', examples: ['revoke_session'] }).refine(
  (value) => /^[a-z][a-z_]*$/.test(value),
  { error: 'must be a purpose in snake case' },
) as z.ZodString

/** The client SDK's random id in storage. */
export const deviceFingerprint: z.ZodString = opaque(128, {
  description: 'A random id that the client keeps in storage.',
})

/** What a client says of its device: a few plain values. */
export const deviceInfo = publish(
  z
    .record(opaque(64), z.union([opaque(256, { min: 0 }), z.number().min(-1e15).max(1e15), z.boolean(), z.null()]))
    .refine((value) => Object.keys(value).length <= 32, { error: 'must have at most 32 entries' }),
  { maxProperties: 32, description: 'A few plain values, as the client sees its device.' },
)

/** A moment in a request. Reads as a `Date`. */
export const instant: z.ZodType<Date, string> = publish(
  z
    .string()
    .max(40, { abort: true })
    .pipe(z.iso.datetime({ offset: true, error: 'must be an instant in ISO 8601 with a time zone' }))
    .transform((value) => new Date(value)),
  { type: 'string', format: 'date-time', maxLength: 40, examples: ['2026-01-31T12:00:00.000Z'] },
)

/** A moment of a period, as text: what is wrong with it is told as `INVALID_RANGE`. */
export const instantText: z.ZodString = opaque(40, { format: 'date-time', examples: ['2026-01-31T00:00:00Z'] })

/** Where the next page begins; as a listing gave it. */
export const cursor: z.ZodString = opaque(512, { description: 'The nextCursor of the page before.' })

/** A whole number in a query, strictly in decimal. */
export function queryInteger({
  min,
  max,
  ...field
}: { readonly min: number; readonly max: number } & PublishedField): z.ZodType<number, string> {
  const rule = `must be a whole number from ${min} to ${max}`
  const schema = z
    .string()
    // No sign, no exponent, no hexadecimal, no leading zero, and no more digits than a double holds exactly.
    .refine((value) => /^(?:0|[1-9][0-9]{0,14})$/.test(value) && Number(value) >= min && Number(value) <= max, {
      error: rule,
      abort: true,
    })
    .transform(Number)
  return publish(schema, { type: 'integer', minimum: min, maximum: max, ...field })
}

/** How many a page holds. */
export const limit: z.ZodType<number, string | undefined> = publish(
  queryInteger({ min: 1, max: 100 }).default(50) as unknown as z.ZodType<number, string | undefined>,
  { type: 'integer', minimum: 1, maximum: 100, default: 50 },
)

/** A moment in an answer: a `Date` goes in, ISO 8601 UTC with milliseconds comes out. */
export const timestamp: z.ZodType<string, string | Date> = publish(
  z.iso.datetime({ precision: 3 }) as unknown as z.ZodType<string, string | Date>,
  { type: 'string', format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] },
)

/** An id in an answer. */
export const anyId: z.ZodType<string, string> = idOf<string>()

/** `session` wherever it is answered. */
export const session = nameSchema(
  'Session',
  z.strictObject({
    id: anyId,
    kind: z.enum(['login', 'impersonation']),
    createdAt: timestamp,
    lastSeenAt: timestamp,
    expiresAt: timestamp,
    ipAddress: z.string().nullable(),
    country: z.string().nullable().describe('ISO 3166-1 alpha-2, where the place is known.'),
    city: z.string().nullable(),
    userAgent: z.string().nullable(),
    device: z.strictObject({
      browser: z.string().nullable(),
      os: z.string().nullable(),
      type: z.string().nullable(),
    }),
    isCurrent: z.boolean().describe('Whether this request was made with it.'),
    revokedAt: timestamp.nullable(),
    revokeReason: z.string().nullable(),
    impersonator: z
      .strictObject({ id: anyId, name: z.string() })
      .optional()
      .describe('Who is acting, in a session of kind impersonation.'),
  }),
)

/** A person, in whatever tenants. */
export const user = nameSchema(
  'User',
  z.strictObject({
    id: anyId,
    email: z.string().nullable().describe('Null only for people whom a host named without one.'),
    name: z.string(),
    emailVerified: z.boolean(),
  }),
)

/** A tenant. */
export const tenant = nameSchema('Tenant', z.strictObject({ id: anyId, slug: z.string().nullable(), name: z.string() }))

/** A person's place in a tenant. */
export const staff = nameSchema(
  'Staff',
  z.strictObject({ id: anyId, role: z.enum(ROLES), permissions: z.array(z.string()) }),
)
