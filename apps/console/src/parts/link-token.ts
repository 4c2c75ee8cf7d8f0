/**
 * The token of a link from a mail. It comes in the fragment, which no server and no other page sees.
 *
 * @module
 */

let kept: string | undefined

/**
 * Takes the token out of the address, so that it stays in no history and on no screen. It is kept for as long as the page is open:
 * the same form asks for it again.
 */
export function takeLinkToken(): string | undefined {
  const token = new URLSearchParams(window.location.hash.slice(1)).get('token')
  if (token !== null && token !== '') {
    kept = token
    window.history.replaceState(window.history.state, '', window.location.pathname)
  }
  return kept
}
