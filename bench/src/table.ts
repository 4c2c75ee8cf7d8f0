/**
 * The results as a person reads them in a terminal.
 *
 * @module
 */

import type { Comparison, Figure, Goal } from './bench.ts'

/** Ours beside each reference, with the ratio, the goal, and whether it was met. */
export function comparisonTable(comparisons: readonly Comparison[]): string {
  return table(
    ['work', 'ours', 'reference', 'its figure', 'ratio', 'goal', ''],
    comparisons.map(({ work, unit, ours, against, theirs, measured, goal }) => [
      work,
      amount(ours, unit),
      against,
      theirs === undefined ? '' : amount(theirs, unit),
      theirs === undefined ? '' : significant(measured),
      goal === undefined ? '' : goalText(goal, unit),
      goal === undefined ? '' : isMet(measured, goal) ? 'met' : 'MISSED',
    ]),
  )
}

export function isMet(measured: number, { kind, value }: Goal): boolean {
  return kind === 'at least' ? measured >= value : measured <= value
}

/** Each contender, with the spread of its runs. */
export function figureTable(figures: readonly Figure[]): string {
  return table(
    ['', 'median', 'lowest', 'highest', ''],
    figures.map(({ name, unit, value, runs, details }) => [
      name,
      amount(value, unit),
      amount(Math.min(...runs), unit),
      amount(Math.max(...runs), unit),
      Object.entries(details)
        .map(([key, detail]) => `${key} ${significant(detail)}`)
        .join(', '),
    ]),
  ).replace(/^/gm, '  ')
}

function goalText({ kind, value, of }: Goal, unit: string): string {
  return `${kind} ${of === 'ratio' ? significant(value) : amount(value, unit)}`
}

function amount(value: number, unit: string): string {
  return unit.startsWith('/') ? `${significant(value)}${unit}` : `${significant(value)} ${unit}`
}

/** Three digits that count; thousands with a separator. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (isNumeric(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

function isNumeric(cell: string): boolean {
  return /^[\d.,]+( \S+|\/s)?$/.test(cell)
}
