/**
 * Devices that a step-up was passed on, in PostgreSQL.
 *
 * @module
 */

import { and, eq } from 'drizzle-orm'
import type { PresentedDevice } from '../../internal/device-digest.ts'
import { deviceDigests } from '../../internal/device-digest.ts'
import type { Statement, Tx } from './database.ts'
import { trustedDevices, userSessions } from './schema.ts'

/** Trusts devices for one member, by the digests that they show up by. */
export async function trustDevices(
  tx: Tx,
  input: {
    readonly tenantId: string
    readonly staffId: string
    readonly digests: readonly string[]
    readonly forMs: number
  },
): Promise<void> {
  const { tenantId, staffId, digests, forMs } = input
  if (digests.length === 0 || forMs === 0) return
  const trusted = { trustedUntil: new Date(tx.now.getTime() + forMs), lastSeenAt: tx.now }
  await tx.db
    .insert(trustedDevices)
    // In one order for all, so that two step-ups at once do not wait for each other.
    .values([...new Set(digests)].sort().map((deviceHash) => ({ tenantId, staffId, deviceHash, ...trusted })))
    .onConflictDoUpdate({
      target: [trustedDevices.tenantId, trustedDevices.staffId, trustedDevices.deviceHash],
      set: trusted,
    })
}

/** Whose session it is, and the digests of the device that it is known by. */
export async function deviceOfSession(
  tx: Tx,
  { tenantId, sessionId }: { readonly tenantId: string; readonly sessionId: string },
): Promise<{ readonly staffId: string; readonly digests: readonly string[] } | undefined> {
  const [session] = await tx.db
    .select({
      staffId: userSessions.staffId,
      fingerprint: userSessions.deviceFingerprint,
      cookie: userSessions.deviceCookieHash,
    })
    .from(userSessions)
    .where(and(eq(userSessions.tenantId, tenantId), eq(userSessions.id, sessionId)))
  if (session === undefined) return undefined
  const device = { fingerprint: session.fingerprint, cookieHash: session.cookie?.toString('hex') ?? null }
  return { staffId: session.staffId, digests: deviceDigests(device) }
}

/** Locked in one order first, the order in which trust is given too: else two that take several could wait for each other. */
const DISTRUST: Statement = {
  name: 'sallyport_distrust_devices',
  text: `with given as materialized (
      select * from unnest($1::uuid[], $2::uuid[], $3::text[]) as g (tenant_id, staff_id, device_hash)
    ), locked as materialized (
      select d.tenant_id, d.staff_id, d.device_hash from trusted_devices d join given using (tenant_id, staff_id, device_hash)
      order by d.tenant_id, d.staff_id, d.device_hash for update of d
    )
    delete from trusted_devices d using locked l
    where d.tenant_id = l.tenant_id and d.staff_id = l.staff_id and d.device_hash = l.device_hash`,
}

const DEVICES_OF: Statement = {
  name: 'sallyport_devices_of_sessions',
  text: `select s.tenant_id as "tenantId", s.staff_id as "staffId", s.device_fingerprint as fingerprint,
      encode(s.device_cookie_hash, 'hex') as "cookieHash"
    from unnest($1::uuid[], $2::uuid[]) as g (tenant_id, id) join user_sessions s using (tenant_id, id)
    where s.device_fingerprint is not null or s.device_cookie_hash is not null`,
}

/** Ends the trust of the devices that sessions are known by. */
export async function distrustDevicesOf(
  tx: Tx,
  sessions: readonly { readonly tenantId: string; readonly sessionId: string }[],
): Promise<void> {
  const known = await tx.run<{ tenantId: string; staffId: string } & PresentedDevice>(DEVICES_OF, [
    sessions.map(({ tenantId }) => tenantId),
    sessions.map(({ sessionId }) => sessionId),
  ])
  const devices = known.flatMap(({ tenantId, staffId, ...device }) =>
    deviceDigests(device).map((digest) => ({ tenantId, staffId, digest })),
  )
  if (devices.length === 0) return
  await tx.run(DISTRUST, [
    devices.map(({ tenantId }) => tenantId),
    devices.map(({ staffId }) => staffId),
    devices.map(({ digest }) => digest),
  ])
}
