/**
 * The style and the script of the documentation page, as they are inlined and hashed.
 *
 * @module
 */

export const PAGE_STYLE = `
:root{color-scheme:light dark;--bg:light-dark(#fcfcfb,#14161a);--panel:light-dark(#f4f4f1,#1a1d22);--line:light-dark(#e2e1dc,#2c3038);
--text:light-dark(#1f2328,#e4e6ea);--dim:light-dark(#5c6370,#9aa3b0);--link:light-dark(#0b5cad,#7fb8ff);--code:light-dark(#efeee9,#22262d);
--get:light-dark(#0a6b4b,#5fd3a4);--post:light-dark(#0b5cad,#7fb8ff);--patch:light-dark(#8a5300,#f0b35c);--delete:light-dark(#b3261e,#ff9288)}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:1rem}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.55 system-ui,sans-serif;display:grid;grid-template-columns:19rem minmax(0,1fr)}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--bg);padding:.5rem;z-index:2}
nav{position:sticky;top:0;height:100vh;overflow-y:auto;background:var(--panel);border-right:1px solid var(--line);padding:1.25rem 1rem;font-size:13px}
.brand{margin:0 0 1rem;font-size:16px;font-weight:650}.brand small{font-weight:400;color:var(--dim)}
.filter span{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
.filter input{width:100%;padding:.45rem .6rem;font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:6px}
nav h2{margin:1.2rem 0 .3rem;font-size:11px;letter-spacing:.06em;text-transform:uppercase;color:var(--dim)}
nav ul{list-style:none;margin:0;padding:0}
nav li a{display:flex;gap:.5rem;padding:.2rem .35rem;border-radius:5px;color:inherit}nav li a:hover{background:var(--code);text-decoration:none}
nav li span{overflow-wrap:anywhere}
nav .m{flex:none;width:3.3rem;font-size:10px;line-height:20px}
.m{font-weight:700;letter-spacing:.03em}
.GET{color:var(--get)}.POST{color:var(--post)}.PUT,.PATCH{color:var(--patch)}.DELETE{color:var(--delete)}
main{padding:2.5rem clamp(1rem,4vw,4rem) 6rem;max-width:68rem;width:100%}
h1{margin:0;font-size:30px;letter-spacing:-.02em}.meta,.none,i{color:var(--dim)}
.group>h2{margin:3rem 0 1rem;font-size:20px;letter-spacing:-.01em}
article{border:1px solid var(--line);border-radius:10px;padding:1.1rem 1.3rem;margin:0 0 1.2rem;background:light-dark(#fff,#181b20)}
article:target{border-color:var(--link);box-shadow:0 0 0 1px var(--link)}
h3{margin:0;font-size:16px}h3 a{color:inherit}h3 code{background:none;padding:0;font-size:15px;font-weight:600}h3 .m{font-size:13px;margin-right:.3rem}
.summary{margin:.35rem 0 .7rem}
h4{margin:1.3rem 0 .45rem;font-size:13px;font-weight:600}
code,pre{font:12.5px/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{background:var(--code);padding:.08em .35em;border-radius:4px}
.badges{margin:0;line-height:2}
.badge{display:inline-block;border:1px solid var(--line);border-radius:99px;padding:0 .65rem;font:12px/1.8 ui-monospace,Menlo,Consolas,monospace;margin:0 .15rem 0 0}
.badge span{color:var(--dim);font-family:system-ui,sans-serif}
.badge.permission{border-color:var(--post)}.badge.step-up{border-color:var(--patch)}.badge.audit{border-color:var(--get)}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:13.5px}article table{table-layout:fixed;min-width:30rem}th:first-child{width:36%}th:nth-child(2){width:24%}td small{color:var(--dim)}
th{text-align:left;font-size:12px;font-weight:600;color:var(--dim);padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
td{vertical-align:top;padding:.38rem .75rem .38rem 0;border-bottom:1px solid var(--line)}
tr:last-child td{border-bottom:0}tr:target td{background:var(--code)}
i{font-size:12px}
.s{font:600 12px/1 ui-monospace,Menlo,Consolas,monospace;border:1px solid var(--line);border-radius:4px;padding:.15rem .35rem}
details{margin:1.1rem 0 0}summary{cursor:pointer;font-size:13px;font-weight:600}
.errors{list-style:none;margin:.5rem 0 0;padding:0}.errors li{padding:.15rem 0}.errors a{margin-right:.2rem}
.curl{position:relative;margin:1rem 0 0}
pre{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:.8rem 4.5rem .8rem 1rem;overflow-x:auto}
pre code{background:none;padding:0}
.curl button{position:absolute;top:.5rem;right:.5rem;font:12px system-ui,sans-serif;padding:.2rem .6rem;color:inherit;background:var(--bg);border:1px solid var(--line);border-radius:5px;cursor:pointer}
[hidden]{display:none!important}
@media (max-width:56rem){body{display:block}nav{position:static;height:auto;max-height:45vh;border-right:0;border-bottom:1px solid var(--line)}main{padding-top:1.5rem}article{padding:1rem}}
@media print{nav,.curl button{display:none}body{display:block}}
`

export const PAGE_SCRIPT = `
const filter = document.getElementById('filter')
const none = document.getElementById('none')
const parts = [...document.querySelectorAll('[data-find]')]
const groups = [...document.querySelectorAll('nav section, main .group')].filter((group) => group.querySelector('[data-find]'))
filter.addEventListener('input', () => {
  const words = filter.value.toLowerCase().split(/\\s+/)
  for (const part of parts) part.hidden = !words.every((word) => part.dataset.find.includes(word))
  for (const group of groups) group.hidden = !group.querySelector('[data-find]:not([hidden])')
  none.hidden = parts.some((part) => !part.hidden)
})
document.addEventListener('click', async ({ target }) => {
  if (!target.matches('[data-copy]')) return
  try {
    await navigator.clipboard.writeText(target.nextElementSibling.textContent)
    target.textContent = 'Copied'
  } catch {
    getSelection().selectAllChildren(target.nextElementSibling)
    target.textContent = 'Selected'
  }
  setTimeout(() => { target.textContent = 'Copy' }, 1500)
})
`
