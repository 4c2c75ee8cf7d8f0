/**
 * What `sallyport doctor` finds.
 *
 * @module
 */

export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'note' | 'fail'
  readonly message: string
}

export function ok(check: string, message: string): Finding {
  return { check, state: 'ok', message }
}

export function note(check: string, message: string): Finding {
  return { check, state: 'note', message }
}

/** Something that must be mended. */
export function fail(check: string, message: string): Finding {
  return { check, state: 'fail', message }
}
