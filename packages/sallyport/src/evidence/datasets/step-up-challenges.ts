/**
 * Second factors that were asked for, and what became of each.
 *
 * @module
 */

import type { StateDataset } from '../dataset.ts'
import { column } from '../dataset.ts'

export const stepUpChallenges: StateDataset = {
  kind: 'state',
  name: 'step-up-challenges',
  title: 'Step-up challenges',
  table: 'step-up-challenges',
  period: 'created_at',
  columns: [
    column('id', 'uuid', 'Id of the challenge.'),
    column('user_id', 'uuid', 'Who was asked.'),
    column('session_id', 'uuid', 'In which session; null at a sign-in.'),
    column('purpose', 'text', 'What for.'),
    column('factor', 'text', 'By which factor.'),
    column('created_at', 'instant', 'When it was asked.'),
    column('verified_at', 'instant', 'When it was met; null if it was not.'),
    column('expires_at', 'instant', 'Until when it could be.'),
  ],
  criteria: ['CC6.1', 'CC6.6'],
}
