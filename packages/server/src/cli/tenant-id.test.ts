import { expect, test, vi } from 'vitest'
import { evidence } from './evidence.ts'
import { EXIT } from './exit.ts'
import { report } from './report.ts'
import { tenantId } from './tenant-id.ts'

const ID = '0199a1b2-0000-7000-8000-000000000001'

test('an id is let through as it is', () => {
  expect(tenantId(ID)).toBe(ID)
})

test.each(['', 'acme', ID.toUpperCase(), `${ID} `, ID.replaceAll('-', '')])(
  'what is none is refused before anything is opened: "%s"',
  async (tenant) => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      const refused = await evidence({ tenant, from: '2030-01-01', to: '2030-02-01' }).catch((error: unknown) => error)
      expect(report(refused, {})).toBe(EXIT.misconfigured)
      expect(written.mock.calls.join()).toContain('is no id of a tenant')
    } finally {
      written.mockRestore()
    }
  },
)
