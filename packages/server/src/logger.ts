/**
 * The service's log: JSON in production, lines for people otherwise, and never a secret.
 *
 * @module
 */

import { type DestinationStream, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino'
import pretty from 'pino-pretty'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** JSON, one record a line. */
  readonly json: boolean
  /** Defaults to standard output. */
  readonly destination?: DestinationStream | undefined
}

/**
 * Fields that hold a secret wherever they stand. Nobody should log them; this is for the day that somebody does. `code` is
 * not among them: in every record it is the stable code of an error.
 */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'currentPassword',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'stepUpToken',
  'secret',
  'secrets',
  'recoveryCodes',
  'text',
  'html',
] as const

export function createLogger({ level, json, destination }: LogOptions): Logger {
  const options = {
    level,
    // RFC 3339 in UTC with milliseconds, so that records of different machines sort together.
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: withoutParameters, cause: withoutParameters },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  }
  if (json) return destination === undefined ? pino(options) : pino(options, destination)
  // In this thread and synchronous: the last lines before an exit are the ones that matter.
  const stream = pretty({
    colorize: destination === undefined && process.stdout.isTTY === true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
    sync: true,
    destination: (destination ?? 1) as 1,
  })
  return pino(options, stream)
}

/** Database libraries write bound values into their messages: addresses, hashes, names. */
function withoutParameters(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { type, message, stack, ...rest } = stdSerializers.err(error)
  return {
    type,
    message: clean(message),
    stack: clean(stack),
    ...(rest['code'] === undefined ? {} : { code: rest['code'] }),
  }
}

function clean(text: string): string {
  return text.replaceAll(/\bparams: [\s\S]*?(?=\n\s+at |$)/g, 'params: [redacted]')
}

/**
 * Text that a client chose, as one line of plain characters: no line break, terminal sequence or change of direction gets
 * into a log that a person reads.
 */
export function plain(text: string, most = 512): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text
  return cut.replaceAll(
    /[^\x20-\x7e…]/g,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}
