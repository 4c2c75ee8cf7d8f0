/**
 * Shows how far long work has come: one line that moves on a terminal, plain lines elsewhere, nothing for machines.
 *
 * @module
 */

import type { GlobalOptions } from './report.ts'

export interface Progress {
  show(text: string): void
  /** Leaves the line, so that the answer begins on one of its own. */
  end(): void
}

const PLAIN_EVERY_MS = 5_000
const MOVING_EVERY_MS = 100

export function progressOf({ json = false }: GlobalOptions): Progress {
  const out = process.stderr
  let shown = Number.NEGATIVE_INFINITY
  let open = false
  return {
    show(text) {
      const now = performance.now()
      if (json || now - shown < (out.isTTY ? MOVING_EVERY_MS : PLAIN_EVERY_MS)) return
      shown = now
      open = out.isTTY
      out.write(out.isTTY ? `\r\u001b[K${text}` : `${text}\n`)
    },
    end() {
      if (open) out.write('\r\u001b[K')
      open = false
    },
  }
}
