/**
 * A picture of a kind of device.
 *
 * @module
 */

import { Bot, Laptop, Smartphone, Tablet, TvMinimal } from 'lucide-react'
import type { ReactNode } from 'react'

const ICONS: Readonly<Record<string, typeof Laptop>> = {
  mobile: Smartphone,
  tablet: Tablet,
  smarttv: TvMinimal,
  console: TvMinimal,
  bot: Bot,
}

/** Decorative: the words beside it say the same. */
export function DeviceIcon({ type, size = 18 }: { readonly type: string | null; readonly size?: number }): ReactNode {
  const Icon = (type !== null && Object.hasOwn(ICONS, type) ? ICONS[type] : undefined) ?? Laptop
  return <Icon size={size} strokeWidth={1.75} aria-hidden="true" />
}
