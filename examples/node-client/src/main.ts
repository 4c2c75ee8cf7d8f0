/**
 * The client in Node, against a running service: a session that outlives the program, another that is ended from it, a step-up on the
 * way, and an export that is read as a stream.
 *
 *     npm start                           # in one terminal
 *     npm start -w examples/node-client   # in another
 *
 * Set SALLYPORT_URL to the issuer of the service where it is another than http://localhost:8080.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StepUpDemand } from '@sallyport/client'
import { createClient } from '@sallyport/client'
import { fileStorage } from './file-storage.ts'

const baseUrl = process.env['SALLYPORT_URL'] ?? 'http://localhost:8080'
const email = `ana-${randomBytes(4).toString('hex')}@example.com`
const password = `nine lamps along the quay ${randomBytes(4).toString('hex')}`

/** The newest code in the development outbox, which stands in for a mailbox. */
async function mailedCode(): Promise<string> {
  const answer = await fetch(`${baseUrl}/api/dev/outbox?to=${encodeURIComponent(email)}`)
  const { messages } = (await answer.json()) as { readonly messages: readonly { readonly code?: string }[] }
  return messages.findLast(({ code }) => code !== undefined)?.code ?? ''
}

/** What an app's dialog does. */
async function giveSecondFactor(demand: StepUpDemand): Promise<void> {
  console.log(`a second factor is asked for: ${demand.purpose}`)
  await demand.emailCode()
  await demand.verify({ factor: 'email_code', code: await mailedCode() })
}

const folder = await mkdtemp(join(tmpdir(), 'sallyport-example-'))
const options = { baseUrl, storage: fileStorage(join(folder, 'session.json')), onStepUp: giveSecondFactor }

const laptop = createClient(options)
await laptop.signUp({ email, password, name: 'Ana', tenantName: 'Example' })

const phone = createClient({ baseUrl, onSignedOut: ({ reason }) => console.log(`the phone is signed out: ${reason}`) })
const { session } = await phone.signIn({ email, password })
console.log(`live sessions: ${(await laptop.api.listSessions()).sessions.length}`)

// Answered 428, verified, and sent again: all by itself.
await laptop.api.revokeSession({ sessionId: session.id })
await phone.api.listSessions().catch(() => undefined)

const file = await laptop.api.exportDataset({ file: 'user-sessions.ndjson' })
let bytes = 0
for await (const chunk of file.body ?? []) bytes += chunk.length
console.log(`exported ${bytes} bytes`)
laptop.close()

// Another run of the program: it goes on where the one before was.
const next = createClient(options)
console.log(`still signed in as ${(await next.session())?.user.name}`)
await next.signOut()
console.log(`signed out: ${next.state().status}`)

await rm(folder, { recursive: true })
