/**
 * Sessions, live and ended, of people and of those who acted as them.
 *
 * @module
 */

import type { StateDataset } from '../dataset.ts'
import { column, deviceColumn } from '../dataset.ts'

export const userSessions: StateDataset = {
  kind: 'state',
  name: 'user-sessions',
  title: 'Sessions',
  table: 'user-sessions',
  period: 'created_at',
  columns: [
    column('id', 'uuid', 'Id of the session.'),
    column('tenant_id', 'uuid', 'The tenant it is in.'),
    column('user_id', 'uuid', 'Whose it is.'),
    column('user_name', 'text', 'Their name now.'),
    column('staff_id', 'uuid', 'Their membership of the tenant.'),
    column('kind', 'text', 'login, or impersonation.'),
    column('delivery', 'text', 'How the refresh token travels: body or cookie.'),
    column('created_at', 'instant', 'When it began.'),
    column('last_seen_at', 'instant', 'Its latest request.'),
    column('expires_at', 'instant', 'When it ends by itself.'),
    column('revoked_at', 'instant', 'When it was ended; null while it lives.'),
    column('revoke_reason', 'text', 'Why.'),
    column('revoked_by', 'uuid', 'By whom.'),
    column('amr', 'list', 'How the person authenticated.'),
    column('auth_time', 'instant', 'When they truly did.'),
    column('step_up_required_at', 'instant', 'Since when it waits for a second factor.'),
    column('ip_address', 'text', 'Latest address.'),
    column('country', 'text', 'ISO 3166-1 alpha-2, where known.'),
    column('city', 'text', 'Where known.'),
    column('user_agent', 'text', 'As the client gave it.'),
    deviceColumn('device_fingerprint', 'text', 'A random id that the client keeps.'),
    deviceColumn('device_info', 'json', 'What the client says of its device.'),
    column('real_user_id', 'uuid', 'Under impersonation, the person acting.'),
    column('real_session_id', 'uuid', 'Under impersonation, that person’s own session.'),
    column('reason', 'text', 'The reason given for an impersonation.'),
  ],
  criteria: ['CC6.1', 'CC6.2', 'CC6.3'],
}
