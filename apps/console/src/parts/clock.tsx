/**
 * The time of day to the second, where moments lie close together; the whole instant when pointed at.
 *
 * @module
 */

import { useLocale } from '@sallyport/react'
import { exactTime } from '@sallyport/react/ui'
import type { ReactNode } from 'react'

export function Clock({ value, withDay = false }: { readonly value: string; readonly withDay?: boolean }): ReactNode {
  const locale = useLocale()
  const instant = new Date(value)
  const format = new Intl.DateTimeFormat(locale, {
    ...(withDay ? { day: 'numeric', month: 'short' } : {}),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return (
    <time dateTime={value} title={exactTime(instant, locale)} className="sp-num whitespace-nowrap">
      {format.format(instant)}
    </time>
  )
}
