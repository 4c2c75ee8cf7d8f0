/**
 * How far two places are apart.
 *
 * @module
 */

const EARTH_RADIUS_KM = 6371

/** The great circle between two places, in kilometres, on a sphere: out by half a percent at most (haversine formula). */
export function distanceKm(
  from: { readonly latitude: number; readonly longitude: number },
  to: { readonly latitude: number; readonly longitude: number },
): number {
  const [a, b] = [radians(from.latitude), radians(to.latitude)]
  const h =
    Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(radians(to.longitude - from.longitude) / 2) ** 2
  // Rounding may carry antipodes a hair beyond 1, where the arc sine is no number.
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, h)))
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180
}
