import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { EXIT } from './exit.ts'
import { CommandError, report } from './report.ts'
import { riskReplay } from './risk.ts'

const AT = new Date('2030-01-01T00:00:00.000Z')
/** As the store has them: one sign-in that passed, one that was asked. */
const ROWS = [20, 60].map((points, at) => ({
  id: String(at),
  createdAt: AT,
  tenantId: 'tenant',
  userId: `user-${points}`,
  resourceId: `user-${points}`,
  action: points < 60 ? 'AUTH_LOGIN' : 'STEP_UP_REQUIRED',
  metadata: {
    score: points,
    purpose: 'sign_in',
    level: 'elevated',
    signals: [{ signal: 'OURS', points, evidence: {} }],
  },
}))

const told: { document: Record<string, unknown>; lines: readonly string[] }[] = []
vi.mock('./session.ts', () => ({
  configuration: async () => ({ engine: { risk: { stepUpAt: 60 } } }),
  withGuard: (_config: unknown, _options: unknown, work: (open: unknown) => Promise<unknown>) =>
    work({ guard: { store: { risk: { scored: async () => ROWS } } } }),
  answer: (_options: unknown, document: Record<string, unknown>, lines: readonly string[]) =>
    void told.push({ document, lines }),
}))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-risk-'))
})
afterAll(() => rm(folder, { recursive: true }))
beforeEach(() => void told.splice(0))

async function policyFile(text: string): Promise<string> {
  const path = join(folder, 'policy.json')
  await writeFile(path, text)
  return path
}
const range = { from: '2030-01-01', to: '2030-01-02' }

test('says whom the policy of the service asked or stopped, in a table and in JSON', async () => {
  await riskReplay(range)
  expect(told[0]?.document).toMatchObject({ scored: 2, passed: 1, asked: 1, stopped: 0, changed: 0 })
  expect(told[0]?.lines).toEqual([
    expect.stringMatching(/^when +user +what +then +anew +reasons$/),
    expect.stringMatching(/^2030-01-01T00:00:00.000Z +user-60 +sign-in +60 step-up +60 step-up +OURS$/),
    '2 scored: 1 would pass, 1 be asked, 0 be stopped; 0 differ from what was done.',
  ])
})

test('a policy of a file decides anew, and what differs is counted', async () => {
  await riskReplay({ ...range, policy: await policyFile('{"stepUpAt":20,"blockAt":60}') })
  expect(told[0]?.document).toMatchObject({ scored: 2, passed: 0, asked: 1, stopped: 1, changed: 2 })
})

test.each([
  ['is not JSON', 'no json'],
  ['must be an object', '{"mode":"off"}'],
  ['must be an object', 'null'],
])('a policy file that %s is refused, and nothing is told', async (what, text) => {
  await expect(riskReplay({ ...range, policy: await policyFile(text) })).rejects.toThrow(what)
  expect(told).toEqual([])
})

test.each([
  [{ from: 'yesterday', to: '2030-01-02' }, '--from'],
  [{ from: '2030-01-02', to: '2030-01-02' }, 'before'],
])('a period that is none is refused: %o', async (given, what) => {
  await expect(riskReplay(given)).rejects.toThrow(what)
})

test('what was not asked rightly ends with 2, as the help says', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    for (const given of [
      { ...range, from: 'yesterday' },
      { ...range, policy: 'nowhere.json' },
    ]) {
      expect(report(await riskReplay(given).catch((error: unknown) => error), {})).toBe(EXIT.misconfigured)
    }
    expect(report(new CommandError('it did not work'), {})).toBe(EXIT.failed)
    expect(written).toHaveBeenCalledTimes(3)
  } finally {
    written.mockRestore()
  }
})
