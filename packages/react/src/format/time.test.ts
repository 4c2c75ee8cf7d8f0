import { expect, test } from 'vitest'
import { relativeTime } from './time.tsx'

const NOW = new Date('2026-06-15T12:00:00.000Z')
const ago = (seconds: number): string => relativeTime(new Date(NOW.getTime() - seconds * 1000), NOW, 'en')

test.each([
  [0, 'now'],
  [44, 'now'],
  [46, '1 minute ago'],
  [90, '1 minute ago'],
  [150, '2 minutes ago'],
  [59.4 * 60, '59 minutes ago'],
  [59.6 * 60, '1 hour ago'],
  [23.4 * 3600, '23 hours ago'],
  [23.6 * 3600, 'yesterday'],
  [6.4 * 86_400, '6 days ago'],
  [6.6 * 86_400, 'last week'],
  [27 * 86_400, '4 weeks ago'],
  [29 * 86_400, 'last month'],
  [340 * 86_400, '11 months ago'],
  [350 * 86_400, 'last year'],
  [-50, 'in 1 minute'],
  [-3 * 3600, 'in 3 hours'],
  [-86_400, 'tomorrow'],
])('%d seconds before now is "%s"', (seconds, expected) => {
  expect(ago(seconds)).toBe(expected)
})

test('the locale is asked', () => {
  expect(relativeTime(new Date(NOW.getTime() - 86_400_000), NOW, 'de')).toBe('gestern')
})
