import type { Client, Operations, Session, StepUpDemand } from './index.ts'

declare const client: Client
declare const demand: StepUpDemand

// What may be left out may be left out.
void client.api.listSessions()
void client.api.listSessions({ state: 'ended', limit: 10 })
void client.api.beginTotp()
void client.api.revokeSession({ sessionId: 'x' }).then(({ currentRevoked }) => currentRevoked satisfies boolean)
void client.api.listSessions().then(({ sessions }) => sessions satisfies readonly Session[])
void client.api
  .exportDataset({ file: 'audit-logs.csv', from: undefined })
  .then((file) => file.body satisfies ReadableStream | null)
void demand.verify({ factor: 'totp', code: '123456' })

// @ts-expect-error a path parameter is needed
void client.api.revokeSession({})
// @ts-expect-error and so is the input
void client.api.revokeSession()
// @ts-expect-error no such state
void client.api.listSessions({ state: 'gone' })
// @ts-expect-error no such field
void client.api.listSessions({ page: 2 })
// @ts-expect-error no such operation
void client.api.listEverything()
// @ts-expect-error who signs in by it would not be signed in: client.signIn does that
void client.api.login({ email: 'x', password: 'y' })
// @ts-expect-error the client says where its tokens go
void client.signIn({ email: 'x', password: 'y', delivery: 'body' })
// @ts-expect-error a passkey has no code
void demand.verify({ factor: 'passkey', code: '1' })
// @ts-expect-error the state is read
client.state().status = 'unknown'

export type Inputs = Operations['login']['input']
