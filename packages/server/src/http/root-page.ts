/**
 * `GET /` where there is no console: what answers here, and where to go.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { HEADERS } from './answers.ts'

export interface RootPageOptions {
  readonly basePath: string
  readonly outbox: boolean
  /** Why there is no console. */
  readonly console: 'off' | 'not-built'
}

const NO_CONSOLE: Readonly<Record<RootPageOptions['console'], readonly [title: string, what: string]>> = {
  off: [
    'The console is turned off',
    'By <code>SALLYPORT_CONSOLE</code>, or <code>console</code> in the configuration file',
  ],
  'not-built': ['The console is not built', 'Run <code>npm run build</code>, then start again'],
}

const STYLE = `
:root{color-scheme:light dark;--ink:#16202b;--soft:#566573;--line:#d9e0e6;--page:#f6f8fa;--card:#fff;--accent:#0b6b50}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#9aa9b7;--line:#2b3743;--page:#10161c;--card:#182029;--accent:#5fd3ab}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:2rem 1rem;background:var(--page);color:var(--ink);
font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:min(38rem,100%)}
svg{display:block;width:2.75rem;height:2.75rem;color:var(--accent)}
h1{margin:1rem 0 .25rem;font-size:1.75rem;line-height:1.2;letter-spacing:-.02em}
p{margin:0 0 1.5rem;color:var(--soft)}
ul{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow:hidden}
li+li{border-top:1px solid var(--line)}
a,span.off{display:block;padding:.9rem 1.1rem;color:inherit;text-decoration:none}
a:hover strong,a:focus-visible strong{text-decoration:underline;text-underline-offset:.2em}
a:focus-visible{outline:2px solid var(--accent);outline-offset:-3px;border-radius:.75rem}
strong{display:block;font-weight:600}
a strong{color:var(--accent)}
small{font-size:.875rem;color:var(--soft)}
code{font:.875em ui-monospace,SFMono-Regular,Menlo,monospace}
`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** The page: one document, nothing loaded from anywhere, no script. */
export function rootPage({ basePath, outbox, console }: RootPageOptions): () => Response {
  const link = (href: string, title: string, what: string): string =>
    `<li><a href="${href}"><strong>${title}</strong><small>${what}</small></a></li>`
  const [title, what] = NO_CONSOLE[console]
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Sallyport</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linejoin="round" aria-hidden="true"><path d="M4 28V11l4-3V5h4v3h8V5h4v3l4 3v17H4Z"/><path d="M12 28v-7a4 4 0 0 1 8 0v7"/></svg>
<h1>Sallyport is running</h1>
<p>Session security for multi-tenant services: live sessions, rotating refresh tokens, step-up and an audit log, over HTTP.</p>
<ul>
${link(`${basePath}/docs`, 'API documentation', `Every endpoint, its input, answers and errors`)}
${link(`${basePath}/openapi.json`, 'OpenAPI document', 'The same for machines, to generate clients from')}
${outbox ? link(`${basePath}/dev/outbox`, 'Development outbox', 'No SMTP server is configured: mails wait here, for this machine only') : ''}
${link('/readyz', 'Health', 'Database, migrations and change feed')}
<li><span class="off"><strong>${title}</strong><small>${what}</small></span></li>
</ul>
</main>
</body>
</html>
`
  const headers = {
    ...HEADERS,
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-opener-policy': 'same-origin',
    'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  }
  return () => new Response(page, { headers })
}
