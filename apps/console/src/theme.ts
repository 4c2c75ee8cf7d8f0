/**
 * Light, dark, or as the device has it. Kept in this browser.
 *
 * @module
 */

import { create } from 'zustand'

export type Theme = 'light' | 'dark' | 'system'

// Read before the first paint by theme.js, too.
const KEY = 'sallyport.theme'

interface ThemeState {
  readonly theme: Theme
  set(theme: Theme): void
}

export const useTheme = create<ThemeState>((set) => ({
  theme: readTheme(),
  set(theme) {
    show(theme)
    set({ theme })
  },
}))

function readTheme(): Theme {
  const { theme } = document.documentElement.dataset
  return theme === 'light' || theme === 'dark' ? theme : 'system'
}

function show(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = theme
  try {
    if (theme === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, theme)
  } catch {
    // A browser that keeps nothing shows it until the page is left.
  }
}
