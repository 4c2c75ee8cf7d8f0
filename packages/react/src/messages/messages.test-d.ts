import type { MessageOverrides } from './messages.ts'

const fine: MessageOverrides = {
  sessions: {
    title: 'Geräte',
    othersRevoked: (count: number) => `${count}`,
    reasons: { manual: 'beendet', own: 'eigen' },
  },
  rateLimited: (seconds) => `${seconds} s`,
}
void fine

// @ts-expect-error a group that is not there
const noGroup: MessageOverrides = { session: {} }
void noGroup

// @ts-expect-error a text that is not there
const noText: MessageOverrides = { sessions: { tittle: 'Geräte' } }
void noText

// @ts-expect-error what counts is a function
const notCounting: MessageOverrides = { sessions: { othersRevoked: 'alle' } }
void notCounting
