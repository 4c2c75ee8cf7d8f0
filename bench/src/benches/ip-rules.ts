/**
 * One address held against 10,000 rules: the matcher alone, and what it adds to a request that is authenticated from memory.
 *
 * @module
 */

import { BlockList } from 'node:net'
import type { Bench, Figure } from '../bench.ts'
import { withDatabase } from '../database.ts'
import { addMembers, openGuard, signIn } from '../fixtures.ts'
import type { CompiledRule } from '../library.ts'
import { compileRules, newId, postgres } from '../library.ts'
import { byTurns, compare, limit, microsecondsEach } from '../measure.ts'
import { sqlOn } from '../references/sql.ts'

const RULES = 10_000

/** IPv4 and IPv6, to allow and to deny, of many sizes, some within others. */
function rules(): CompiledRule[] {
  return Array.from({ length: RULES }, (_, n): CompiledRule => {
    const type = n % 2 === 0 ? 'ALLOW' : 'DENY'
    const cidr =
      n % 4 === 3
        ? `2001:db8:${n.toString(16)}::/48`
        : n % 4 === 2
          ? `10.${(n >> 8) & 255}.${n & 255}.0/25`
          : `10.${(n >> 8) & 255}.${n & 255}.${(n * 7) & 255}/32`
    return { id: String(n), type, cidr }
  })
}

/** In no order, most of them in no rule: the longest way for every contender. */
const ADDRESSES = Array.from({ length: 4096 }, (_, n) =>
  n % 4 === 3
    ? `2001:db8:${(n * 31).toString(16).slice(-4)}::${n.toString(16)}`
    : `10.${(n * 13) & 255}.${(n * 31) & 255}.${(n * 7) & 255}`,
)

function blockList(): (address: string) => boolean {
  const [allow, deny] = [new BlockList(), new BlockList()]
  for (const { type, cidr } of rules()) {
    const [address = '', prefix = ''] = cidr.split('/')
    const list = type === 'ALLOW' ? allow : deny
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4')
  }
  return (address) => {
    const family = address.includes(':') ? 'ipv6' : 'ipv4'
    return !deny.check(address, family) && allow.check(address, family)
  }
}

export const ipRulesBench: Bench = {
  name: 'ip-rules',
  title: '10,000 IP rules, one address',
  run: ({ full, postgresUrl }) =>
    withDatabase(postgresUrl, async (url) => {
      const guard = await openGuard(postgres({ url }))
      const { run, end } = sqlOn(url)
      try {
        const matcher = compileRules(rules())
        const list = blockList()
        const [bare, ruled] = [await addMembers(run, 1), await addMembers(run, 1)]
        for (const { cidr } of rules()) {
          await run('insert into ip_rules (id, tenant_id, type, cidr, created_at) values ($1, $2, $3, $4, now())', [
            newId(),
            ruled[0]?.tenantId,
            'DENY',
            cidr.replace(/^10\./, '172.').replace('2001:db8', '2001:dba'),
          ])
        }
        const [free, held] = [(await signIn(guard, bare))[0], (await signIn(guard, ruled))[0]]
        const milliseconds = full ? 2000 : 400
        let at = 0
        const next = (): string => ADDRESSES[(at = (at + 1) & 4095)] as string
        const authenticates = async (token: string, from: () => string): Promise<number> => {
          // Between two measurements the feed is read, which no timer does while one runs.
          await new Promise((resolve) => setTimeout(resolve, 250))
          await guard.authenticate(token, { ipAddress: from() })
          return microsecondsEach(milliseconds, 1000, () => {
            if (guard.authenticate(token, { ipAddress: from() }) instanceof Promise)
              throw new Error('the database was asked')
          })
        }
        const stays = (): string => ADDRESSES[0] as string
        const [ours, theirs, without, same, moving] = (await byTurns(
          [
            {
              name: 'matcher',
              run: () => ({ value: microsecondsEach(milliseconds, 1000, () => void matcher.judge(next())) }),
            },
            {
              name: 'net.BlockList',
              run: () => ({ value: microsecondsEach(milliseconds, 100, () => void list(next())) }),
            },
            {
              name: 'request, no rules',
              run: async () => ({ value: await authenticates(free?.accessToken ?? '', stays) }),
            },
            {
              name: 'request, client stays',
              run: async () => ({ value: await authenticates(held?.accessToken ?? '', stays) }),
            },
            {
              name: 'request, client moves',
              run: async () => ({ value: await authenticates(held?.accessToken ?? '', next) }),
            },
          ],
          full ? 9 : 5,
          'µs',
        )) as [Figure, Figure, Figure, Figure, Figure]
        return {
          figures: [ours, theirs, without, same, moving],
          comparisons: [
            limit(`${RULES} IP rules, one address`, 'µs', ours.value, { kind: 'at most', value: 2 }),
            compare(`${RULES} IP rules, one address`, ours, theirs),
            limit(`what ${RULES} rules add to a request`, 'µs', moving.value - without.value, {
              kind: 'at most',
              value: 2,
            }),
          ],
        }
      } finally {
        await end()
        await guard.close()
      }
    }),
}
