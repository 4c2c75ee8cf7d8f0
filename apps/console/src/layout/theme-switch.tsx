/**
 * Light, dark, or as the device has it: one button that goes round.
 *
 * @module
 */

import { Button } from '@sallyport/react/ui'
import { Monitor, Moon, Sun } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Theme } from '../theme.ts'
import { useTheme } from '../theme.ts'

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }
const LABELS: Readonly<Record<Theme, string>> = { system: 'as the device', light: 'light', dark: 'dark' }
const ICONS = { system: Monitor, light: Sun, dark: Moon }

export function ThemeSwitch(): ReactNode {
  const { theme, set } = useTheme()
  const Icon = ICONS[theme]
  return (
    <span className="sp-scope">
      <Button
        variant="ghost"
        iconOnly
        aria-label={`Theme: ${LABELS[theme]}`}
        title={`Theme: ${LABELS[theme]}`}
        icon={<Icon size={17} aria-hidden="true" />}
        onClick={() => set(NEXT[theme])}
      />
    </span>
  )
}
