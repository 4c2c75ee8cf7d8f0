/**
 * Remembers whether scores can be computed, for readiness.
 *
 * @module
 */

/** The state of one instance's scoring. */
export class RiskHealth {
  #broken = false

  get broken(): boolean {
    return this.#broken
  }

  failed(): void {
    this.#broken = true
  }

  passed(): void {
    this.#broken = false
  }
}
