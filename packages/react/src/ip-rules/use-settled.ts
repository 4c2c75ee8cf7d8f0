/**
 * What is typed, once it has been left alone for a moment.
 *
 * @module
 */

import { useEffect, useState } from 'react'

const WAIT_MS = 350

export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), WAIT_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
