/**
 * Names the families of a user agent, browser and system, without their versions.
 *
 * @module
 */

import { UAParser } from 'my-ua-parser'

const known = new Map<string, string>()
const MAX_KNOWN = 2000

/** `Firefox on Linux`; a program that no library names reads as its own name. */
export function agentFamilies(userAgent: string): string {
  const before = known.get(userAgent)
  if (before !== undefined) return before
  const { browser, os } = new UAParser(userAgent).getResult()
  const program = /^[A-Za-z][\w.-]{0,40}/.exec(userAgent)?.[0] ?? 'unknown'
  const families = `${browser.name ?? program} on ${os.name ?? 'unknown'}`
  // Strangers' inventions must not fill the memory.
  if (known.size >= MAX_KNOWN) known.clear()
  known.set(userAgent, families)
  return families
}
