import { describe, expect, test } from 'vitest'
import type { Mail } from '../directory/mailer.ts'
import type { Role } from '../directory/roles.ts'
import type { Engine } from '../engine.ts'
import type { TenantId, UserId } from '../ids.ts'
import { newId } from '../ids.ts'
import { silent } from '../internal/logger.ts'
import { alert } from './alert.ts'
import { ALERTS } from './what-happened.ts'

const member = (name: string, role: Role, status = 'active', email: string | null = `${name}@example.com`) => ({
  user: { id: newId<UserId>(), name, email, emailVerifiedAt: null },
  staff: { id: newId(), role, permissions: [], status },
})
const mallory = member('mallory\r\nBcc: all@example.com', 'member', 'active', 'mallory@example.com')
const team = [
  mallory,
  member('owner', 'owner'),
  member('admin', 'admin'),
  member('auditor', 'auditor'),
  member('former', 'admin', 'disabled'),
  member('unreachable', 'owner', 'active', null),
]
const tenantId = newId<TenantId>()
const request = { correlationId: 'r', ipAddress: '192.0.2.7', userAgent: 'curl/8' }

async function mailsOf(what: (typeof ALERTS)[number], userId: UserId = mallory.user.id): Promise<readonly Mail[]> {
  const mails: Mail[] = []
  const engine = {
    store: { directory: { team: async () => ({ members: team, invitations: [] }) } },
    mailer: { send: async (mail: Mail) => void mails.push(mail) },
    log: silent,
  } as unknown as Engine
  await alert(engine, { alert: what, tenantId, userId, request })
  return mails
}

describe('an alert', () => {
  test.each(ALERTS)('%s goes to the active owners and admins, with who, whence and what to do', async (what) => {
    const mails = (await mailsOf(what)).filter(({ to }) => to !== 'mallory@example.com')
    expect(mails.map(({ to }) => to)).toEqual(['owner@example.com', 'admin@example.com'])
    for (const { text, subject, kind } of mails) {
      expect(text).toMatch(/^mallory Bcc: all@example\.com: /)
      expect(text).toContain('192.0.2.7')
      expect(text.trim().split('\n\n')).toHaveLength(4)
      expect(subject).not.toMatch(/[\r\n]/)
      expect(kind).toBe('security_alert')
    }
  })

  test.each(['session_blocked', 'new_device'] as const)(
    '%s goes to the person, who has no other mail of it',
    async (what) => {
      expect((await mailsOf(what)).filter(({ to }) => to === 'mallory@example.com')).toHaveLength(1)
    },
  )

  test('of an owner goes to the others', async () => {
    const owner = team[1] as (typeof team)[number]
    expect((await mailsOf('password_changed', owner.user.id)).map(({ to }) => to)).toEqual(['admin@example.com'])
  })

  test('of one who is not of the tenant goes to nobody', async () => {
    expect(await mailsOf('new_device', newId<UserId>())).toEqual([])
  })

  test('that cannot be addressed disturbs nobody', async () => {
    const engine = { store: {}, log: silent } as unknown as Engine
    await expect(alert(engine, { alert: 'new_device', tenantId, userId: newId(), request })).resolves.toBeUndefined()
  })
})
