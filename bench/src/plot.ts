/**
 * Draws how cost grows: one line for each work, from its time on the small table to its time on the large one.
 *
 * @module
 */

import type { Growth } from './bench.ts'
import { significant } from './table.ts'

const WIDTH = 960
const HEIGHT = 480
const PLOT = { left: 80, right: 560, top: 60, bottom: 410 }
const COLOURS = ['#1f6feb', '#d1242f', '#1a7f37', '#9a6700', '#8250df', '#bf3989', '#0a7ea4', '#57606a']

/** An SVG with both axes logarithmic: what takes the same time at any size is level. */
export function growthPlot(growth: readonly Growth[]): string {
  const points = growth.flatMap((line) => line.points)
  const x = scale(
    points.map(({ size }) => size),
    PLOT.left,
    PLOT.right,
  )
  const y = scale(
    points.map(({ milliseconds }) => milliseconds),
    PLOT.bottom,
    PLOT.top,
  )
  const text = (left: number, top: number, words: string, more = ''): string =>
    `<text x="${left}" y="${top}" ${more}>${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`
  const parts = [
    text(PLOT.left, 30, 'Time of one call by the size of the tables', 'font-size="18" font-weight="600"'),
    ...powersOfTen(y.low, y.high).map(
      (value) =>
        `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${y.at(value)}" y2="${y.at(value)}" stroke="#d0d7de"/>` +
        text(PLOT.left - 8, y.at(value) + 4, `${significant(value)} ms`, 'text-anchor="end"'),
    ),
    ...[...new Set(points.map(({ size }) => size))].map(
      (size) =>
        `<line x1="${x.at(size)}" x2="${x.at(size)}" y1="${PLOT.top}" y2="${PLOT.bottom}" stroke="#d0d7de"/>` +
        text(x.at(size), PLOT.bottom + 22, `${significant(size)} rows`, 'text-anchor="middle"'),
    ),
    ...growth.map(({ points: of }, at) => {
      const colour = COLOURS[at % COLOURS.length]
      const path = of.map(({ size, milliseconds }) => `${x.at(size)},${y.at(milliseconds)}`)
      const dots = path.map((point) => {
        const [cx, cy] = point.split(',')
        return `<circle cx="${cx}" cy="${cy}" r="4" fill="${colour}"/>`
      })
      return `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`
    }),
    // A legend in place of labels at the lines' ends, where lines that are level would cover each other's.
    ...growth.map(({ name, points: of }, at) => {
      const top = PLOT.top + 12 + at * 26
      const times = of.map(({ milliseconds }) => significant(milliseconds)).join(' to ')
      return (
        `<rect x="${PLOT.right + 30}" y="${top - 10}" width="12" height="12" fill="${COLOURS[at % COLOURS.length]}"/>` +
        text(PLOT.right + 50, top, `${name}: ${times} ms`)
      )
    }),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" fill="#1f2328">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

interface Scale {
  readonly low: number
  readonly high: number
  at(value: number): number
}

/** Logarithmic, from the power of ten below the least to the one above the most. */
function scale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  return {
    low,
    high,
    at: (value) => Math.round(from + ((Math.log10(value) - low) / (high - low)) * (to - from)),
  }
}

function powersOfTen(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step))
}
