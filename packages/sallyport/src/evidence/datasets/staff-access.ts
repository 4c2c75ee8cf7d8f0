/**
 * Who can do what in the tenant, as of now: the list that an access review begins with.
 *
 * @module
 */

import type { StateDataset } from '../dataset.ts'
import { column } from '../dataset.ts'

export const staffAccess: StateDataset = {
  kind: 'state',
  name: 'staff-access',
  title: 'Access of members',
  table: 'staff-access',
  columns: [
    column('staff_id', 'uuid', 'Id of the membership.'),
    column('user_id', 'uuid', 'Who.'),
    column('user_name', 'text', 'Their name now.'),
    column('email', 'text', 'Their address now.'),
    column('external_id', 'text', 'The host’s id of the membership.'),
    column('role', 'text', 'Their role; what each allows stands in the documentation.'),
    column('extra_permissions', 'list', 'What they may do beyond it.'),
    column('status', 'text', 'active, disabled or removed.'),
    column('user_disabled_at', 'instant', 'When the person was disabled everywhere.'),
    column('factors', 'list', 'The kinds of second factors that they have.'),
    column('created_at', 'instant', 'Member since.'),
    column('last_seen_at', 'instant', 'Their latest request in this tenant, of the sessions that are still kept.'),
  ],
  criteria: ['CC6.1', 'CC6.2', 'CC6.3'],
}
