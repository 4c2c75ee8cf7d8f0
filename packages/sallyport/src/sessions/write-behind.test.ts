import { describe, expect, test } from 'vitest'
import type { SessionId, TenantId } from '../ids.ts'
import { newId } from '../ids.ts'
import { silent } from '../internal/logger.ts'
import { isTouchDue, WriteBehind } from './write-behind.ts'

const tenantId = newId<TenantId>()

class Recorder {
  touches: { readonly sessionId: SessionId; readonly at: Date }[] = []
  confirmations: { readonly sessionId: SessionId; readonly generation: number }[] = []
  batches: number[] = []
  failing = false
  readonly store = {
    tokens: {
      confirm: async (seen: readonly { readonly sessionId: SessionId; readonly generation: number }[]) => {
        if (this.failing) throw new Error('away')
        this.confirmations.push(...seen)
        this.batches.push(seen.length)
      },
    },
    sessions: {
      touch: async (seen: readonly { readonly sessionId: SessionId; readonly at: Date }[]) => {
        if (this.failing) throw new Error('away')
        this.touches.push(...seen)
      },
    },
  }
  readonly buffer = new WriteBehind(this.store as never, silent)
}

describe('write-behind', () => {
  test('one session’s touches become one write, of the latest, in whatever order they came', async () => {
    const { buffer, recorder } = recorderOf()
    const sessionId = newId<SessionId>()
    for (const ms of [1000, 3000, 2000]) buffer.touch({ tenantId, sessionId, at: new Date(ms) })
    await buffer.flush()
    expect(recorder.touches).toMatchObject([{ sessionId, at: new Date(3000) }])
    await buffer.flush()
    expect(recorder.touches).toHaveLength(1)
  })

  test('of one session’s confirmations the newest generation is written', async () => {
    const { buffer, recorder } = recorderOf()
    const sessionId = newId<SessionId>()
    for (const generation of [1, 3, 2]) buffer.confirm({ tenantId, sessionId, generation })
    await buffer.flush()
    expect(recorder.confirmations).toMatchObject([{ generation: 3 }])
  })

  test('what could not be written is kept, and gives way to what is newer', async () => {
    const { buffer, recorder } = recorderOf()
    const [one, two] = [newId<SessionId>(), newId<SessionId>()]
    buffer.touch({ tenantId, sessionId: one, at: new Date(1000) })
    buffer.touch({ tenantId, sessionId: two, at: new Date(1000) })
    buffer.confirm({ tenantId, sessionId: one, generation: 1 })
    recorder.failing = true
    const flushed = buffer.flush()
    buffer.touch({ tenantId, sessionId: one, at: new Date(2000) })
    buffer.confirm({ tenantId, sessionId: one, generation: 2 })
    await flushed
    recorder.failing = false
    await buffer.flush()
    expect(new Map(recorder.touches.map(({ sessionId, at }) => [sessionId, at.getTime()]))).toEqual(
      new Map([
        [one, 2000],
        [two, 1000],
      ]),
    )
    expect(recorder.confirmations).toMatchObject([{ generation: 2 }])
  })

  test('writes at most a thousand at a time', async () => {
    const { buffer, recorder } = recorderOf()
    for (let index = 0; index < 2500; index++) {
      buffer.confirm({ tenantId, sessionId: newId<SessionId>(), generation: 0 })
    }
    await buffer.flush()
    expect(recorder.batches).toEqual([1000, 1000, 500])
  })

  test('writes what is left when it stops', async () => {
    const { buffer, recorder } = recorderOf()
    buffer.start()
    buffer.touch({ tenantId, sessionId: newId<SessionId>(), at: new Date() })
    await buffer.stop()
    expect(recorder.touches).toHaveLength(1)
  })

  test('a touch is due after min(2 minutes, idle limit / 10)', () => {
    const [MINUTE, DAY] = [60_000, 86_400_000]
    expect([isTouchDue(0, 2 * MINUTE - 1, DAY), isTouchDue(0, 2 * MINUTE, DAY)]).toEqual([false, true])
    expect([isTouchDue(0, MINUTE - 1, 10 * MINUTE), isTouchDue(0, MINUTE, 10 * MINUTE)]).toEqual([false, true])
  })
})

function recorderOf(): { readonly recorder: Recorder; readonly buffer: WriteBehind } {
  const recorder = new Recorder()
  return { recorder, buffer: recorder.buffer }
}
