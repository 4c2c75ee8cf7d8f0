/**
 * `SHARED_LINEAGE`: generation after generation of this family was handed out twice, in a way that lost responses and racing tabs
 * do not explain: somebody travels along.
 *
 * @module
 */

import type { Signal } from '../facts.ts'

export const sharedLineage: Signal = {
  name: 'SHARED_LINEAGE',
  points: 60,
  soft: false,
  find({ sharedGenerations: generations, thresholds }) {
    return generations < thresholds.sharedGenerations ? undefined : { evidence: { generations } }
  },
}
