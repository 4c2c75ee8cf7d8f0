/**
 * The life of refresh tokens. Nothing by which one could be used or recognised is in it: no hash, no nonce, no secret.
 *
 * @module
 */

import type { StateDataset } from '../dataset.ts'
import { column, deviceColumn } from '../dataset.ts'

export const refreshTokens: StateDataset = {
  kind: 'state',
  name: 'refresh-tokens',
  title: 'Life of refresh tokens',
  table: 'refresh-tokens',
  period: 'issued_at',
  columns: [
    column('id', 'uuid', 'Id of the token.'),
    column('user_id', 'uuid', 'Whose it is.'),
    column('tenant_id', 'uuid', 'The tenant it is in.'),
    column('staff_id', 'uuid', 'Their membership of the tenant.'),
    column('session_id', 'uuid', 'The session behind it.'),
    column('family_id', 'uuid', 'The line of tokens that began with one sign-in.'),
    column('generation', 'integer', 'Its place in that line.'),
    column('parent_id', 'uuid', 'The token that it replaced.'),
    column('successor_id', 'uuid', 'The token that replaced it.'),
    column('issued_at', 'instant', 'When it was made.'),
    column('expires_at', 'instant', 'When it ends by itself.'),
    column('consumed_at', 'instant', 'When it was used.'),
    column('revoked_at', 'instant', 'When it was ended.'),
    column('revoke_reason', 'text', 'Why.'),
    column('suspicious_reuse_at', 'instant', 'When it came back after its use, and its family was ended for it.'),
    column('ip_address', 'text', 'Address it was given to.'),
    column('user_agent', 'text', 'As the client gave it.'),
    deviceColumn('device_fingerprint', 'text', 'A random id that the client keeps.'),
    deviceColumn('device_info', 'json', 'What the client says of its device.'),
  ],
  criteria: ['CC6.1', 'CC6.6'],
}
