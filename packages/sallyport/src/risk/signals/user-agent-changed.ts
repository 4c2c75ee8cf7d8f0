/**
 * `USER_AGENT_CHANGED`: within one session the browser or the system is another one. An update is no change.
 *
 * @module
 */

import type { Signal } from '../facts.ts'
import { agentFamilies } from '../agent-families.ts'

export const userAgentChanged: Signal = {
  name: 'USER_AGENT_CHANGED',
  points: 15,
  soft: true,
  find({ session, request: { userAgent } }) {
    if (session === null || session.userAgent === null || userAgent === null) return undefined
    const [from, to] = [agentFamilies(session.userAgent), agentFamilies(userAgent)]
    return from === to ? undefined : { evidence: { from, to } }
  },
}
