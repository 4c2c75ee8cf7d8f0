/**
 * Finds out where a request came from: from the headers of a trusted proxy, the host's own function, or an MMDB file.
 *
 * @module
 */

import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { SallyportError } from '../errors.ts'
import type { Logger } from '../internal/logger.ts'
import type { RequestFacts } from '../internal/request-facts.ts'
import type { Place } from './facts.ts'
import { NOWHERE } from './facts.ts'
import { isPublicAddress } from './public-address.ts'
import type { GeoOptions } from './settings.ts'

/** A host's own look-up. `undefined` where it does not know. One that throws refuses the request. */
export type PlaceLookup = (address: string) => Partial<Place> | undefined | Promise<Partial<Place> | undefined>

/** The part of an MMDB reader that is used. */
interface MmdbReader {
  get(address: string): unknown
}

/** How often a file that could not be read is looked at again. */
const RETRY_MS = 10_000
const PATIENCE_MS = 1_000

/** Where places come from, for one instance. */
export class Places {
  readonly #options: GeoOptions
  readonly #log: Logger
  #reader: MmdbReader | undefined
  #broken = false
  #triedAt = Number.NEGATIVE_INFINITY

  constructor(options: GeoOptions, log: Logger) {
    this.#options = options
    this.#log = log
  }

  /** Whether anything can tell places at all. */
  get configured(): boolean {
    return Object.values(this.#options).some((source) => source !== undefined)
  }

  /** Whether the last look-up failed; until one passes, requests are refused. */
  get broken(): boolean {
    return this.#broken
  }

  /** Opens the MMDB file, where one is configured. Does not reject: a file that cannot be read shows at each look-up and in `ready`. */
  async start(): Promise<void> {
    const { database } = this.#options
    if (database === undefined) return
    this.#triedAt = performance.now()
    try {
      const [{ Reader }, bytes] = await Promise.all([import('mmdb-lib'), readFile(database)])
      this.#reader = new Reader(bytes) as MmdbReader
      this.#broken = false
    } catch (error) {
      this.#fail(error, 'the MMDB file could not be read; sign-in and refresh are refused until it can')
    }
  }

  /**
   * Tells the place. Private and loopback addresses have none.
   *
   * @throws SallyportError `UNAVAILABLE` when the file or the host's function is broken: not knowing is no reason to let pass.
   */
  async of({ ipAddress, placeHeaders }: Pick<RequestFacts, 'ipAddress' | 'placeHeaders'>): Promise<Place> {
    const { headers, lookup, database } = this.#options
    if (!this.configured || ipAddress === undefined || !isPublicAddress(ipAddress)) return NOWHERE
    const told = headers && placeHeaders && fromHeaders(placeHeaders)
    if (told !== undefined) return told
    try {
      if (lookup !== undefined) {
        const found = await lookup(ipAddress)
        if (found !== undefined) return placeOf(found.country, found.city, found.latitude, found.longitude)
      }
      if (database !== undefined) return await this.#read(ipAddress)
      this.#broken = false
      return NOWHERE
    } catch (error) {
      this.#fail(error, 'the place of a request could not be looked up; the request was refused')
      throw new SallyportError('UNAVAILABLE', 'the request could not be judged; try again', {
        facts: { retryAfter: 10 },
        cause: error,
      })
    }
  }

  /** For what must happen and be recorded, whatever is known of the place: nowhere, where that is not told within a second. */
  async orNowhere(request: Pick<RequestFacts, 'ipAddress' | 'placeHeaders'>): Promise<Place> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Place>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS, NOWHERE)
    })
    try {
      return await Promise.race([this.of(request), late])
    } catch {
      // Told to the log, and to readiness.
      return NOWHERE
    } finally {
      clearTimeout(timer)
    }
  }

  async #read(address: string): Promise<Place> {
    if (this.#reader === undefined && performance.now() - this.#triedAt > RETRY_MS) await this.start()
    if (this.#reader === undefined) throw new Error('no MMDB file is open')
    const place = isIP(address) === 0 ? NOWHERE : fromRecord(this.#reader.get(address))
    this.#broken = false
    return place
  }

  #fail(error: unknown, message: string): void {
    this.#broken = true
    this.#log.error({ err: error }, message)
  }
}

/** What a proxy says. Without a country it says nothing. */
function fromHeaders(told: NonNullable<RequestFacts['placeHeaders']>): Place | undefined {
  const country = told.country?.toUpperCase()
  // XX and T1 are how networks of delivery write "unknown" and Tor: neither is a country.
  if (country === undefined || !/^[A-Z]{2}$/.test(country) || country === 'XX') return undefined
  return placeOf(country, decoded(told.city), Number(told.latitude ?? 'none'), Number(told.longitude ?? 'none'))
}

/** Proxies write cities as UTF-8 in percent escapes, or as they are. */
function decoded(value: string | undefined): string | undefined {
  if (value === undefined || !value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** A record of the GeoIP2 City or Country form, which other makers of MMDB files keep to. */
function fromRecord(record: unknown): Place {
  const { country, city, location } = (record ?? {}) as {
    readonly country?: { readonly iso_code?: unknown }
    readonly city?: { readonly names?: { readonly en?: unknown } }
    readonly location?: { readonly latitude?: unknown; readonly longitude?: unknown }
  }
  return placeOf(country?.iso_code, city?.names?.en, location?.latitude, location?.longitude)
}

function placeOf(country: unknown, city: unknown, latitude: unknown, longitude: unknown): Place {
  const located = isWithin(latitude, 90) && isWithin(longitude, 180)
  return {
    country: typeof country === 'string' && /^[A-Z]{2}$/.test(country) ? country : null,
    city: typeof city === 'string' && city !== '' ? city.slice(0, 200) : null,
    latitude: located ? (latitude as number) : null,
    longitude: located ? (longitude as number) : null,
  }
}

function isWithin(value: unknown, limit: number): boolean {
  return typeof value === 'number' && Math.abs(value) <= limit
}
