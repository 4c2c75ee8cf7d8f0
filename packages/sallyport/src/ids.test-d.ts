import { newId, type SessionId, type TenantId } from './ids.ts'

const sessionId: SessionId = newId<SessionId>()
const tenantId: TenantId = newId<TenantId>()

// @ts-expect-error ids of different things must not be interchangeable
export const notATenant: TenantId = sessionId
// @ts-expect-error a text from outside is no id until it was checked
export const notASession: SessionId = 'b21801de-28cd-4fdf-bfcc-8216a0860066'
export const itself: TenantId = tenantId
