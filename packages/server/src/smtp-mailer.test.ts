import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type SmtpMailer, smtpMailer } from './smtp-mailer.ts'

let server: Server | undefined
let mailer: SmtpMailer | undefined
afterEach(() => {
  mailer?.close()
  server?.close()
})

/** The least that a mail server says, and a note of what it was told. */
async function mailServer(): Promise<{ url: string; told: () => string }> {
  let told = ''
  const converse = (socket: Socket): void => {
    let inData = false
    socket.write('220 test\r\n')
    socket.on('data', (chunk) => {
      told += chunk.toString()
      if (inData) {
        if (!told.endsWith('\r\n.\r\n')) return
        inData = false
        socket.write('250 kept\r\n')
      } else if (/^DATA/m.test(chunk.toString())) {
        inData = true
        socket.write('354 go on\r\n')
      } else {
        socket.write('250 ok\r\n')
      }
    })
    socket.on('error', () => undefined)
  }
  const listening = createServer(converse)
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return { url: `smtp://127.0.0.1:${(listening.address() as AddressInfo).port}`, told: () => told }
}

test('a mail goes to its one recipient, with text and HTML', async () => {
  const { url, told } = await mailServer()
  mailer = smtpMailer(url, 'Sallyport <security@example.com>')
  await mailer.send({
    to: 'ana@example.com',
    subject: 'Invitation',
    text: 'plain words',
    html: '<p>marked up</p>',
    kind: 'invitation',
    token: 'canary',
  })
  expect(told()).toContain('RCPT TO:<ana@example.com>')
  expect(told()).toContain('MAIL FROM:<security@example.com>')
  expect(told()).toContain('plain words')
  expect(told()).toContain('<p>marked up</p>')
  expect(told()).not.toContain('canary')
})

test('a server that is away rejects, and does not hang', async () => {
  mailer = smtpMailer('smtp://127.0.0.1:9', 'a@example.com')
  await expect(
    mailer.send({ to: 'ana@example.com', subject: 's', text: 't', html: 'h', kind: 'invitation' }),
  ).rejects.toThrow()
})
