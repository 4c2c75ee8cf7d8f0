/**
 * Where the focus goes when what had it is gone.
 *
 * @module
 */

/** The part of the page that an element stands in. */
export function homeOf(element: Element | null): HTMLElement | undefined {
  return element?.closest<HTMLElement>('.sp-card, main') ?? undefined
}

/** Focuses `element`, or where it is gone the part that it stood in: never the beginning of the page. */
export function focusAgain(element: Element | null, home: HTMLElement | undefined): void {
  if (element instanceof HTMLElement && element.isConnected) element.focus()
  else if (home?.isConnected) home.focus({ preventScroll: true })
}
