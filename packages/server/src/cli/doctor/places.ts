/**
 * Looks at where places come from: the MMDB file, if there is one.
 *
 * @module
 */

import { readFile } from 'node:fs/promises'
import { Reader } from 'mmdb-lib'
import type { Config } from '../../config.ts'
import { fail, note, ok, type Finding } from './finding.ts'

const OLD_MS = 365 * 86_400_000
const FORMS = /city|country|enterprise|insights/i

/** Says of a file what is wrong with it: without places the service refuses sign-ins and refreshes while it is broken. */
export async function placesFinding({ engine: { geo } }: Pick<Config, 'engine'>): Promise<Finding> {
  if (geo?.database === undefined) {
    if (geo?.headers !== undefined) return ok('places', 'are read from the headers of trusted proxies')
    return note('places', 'are unknown: the signals about places are silent. Set GEOIP_DB or geo.headers')
  }
  const bytes = await readFile(geo.database).catch((error: NodeJS.ErrnoException) => error)
  if (bytes instanceof Error) {
    return fail('places', `GEOIP_DB cannot be read (${bytes.code ?? 'unknown'}): check the path and who may read it`)
  }
  try {
    const { metadata } = new Reader(bytes)
    return judged(metadata.databaseType, metadata.buildEpoch)
  } catch {
    return fail('places', 'GEOIP_DB is no MMDB file, or a part of one: fetch it again')
  }
}

function judged(type: string, built: Date): Finding {
  if (!FORMS.test(type)) {
    return fail('places', `GEOIP_DB is a ${type} file, which tells no places: take one of the City or Country form`)
  }
  const age = Date.now() - built.getTime()
  const of = Number.isNaN(age) ? '' : ` of ${built.toISOString().slice(0, 10)}`
  if (age > OLD_MS)
    return note('places', `${type}${of} is over a year old: addresses have moved since, fetch a new one`)
  return ok('places', `${type}${of}`)
}
