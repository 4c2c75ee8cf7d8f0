/**
 * As much of IndexedDB as one store of one database needs.
 *
 * @module
 */

/** @param kept What is kept, beyond the life of a page. */
export function fakeIndexedDB(kept: Map<string, unknown> = new Map()): IDBFactory {
  const answering = (work: () => unknown) => {
    const request: Record<string, unknown> = {}
    queueMicrotask(() => {
      try {
        request['result'] = work()
        ;(request['onsuccess'] as () => void)()
      } catch (error) {
        request['error'] = error
        ;(request['onerror'] as (event: unknown) => void)({ target: request })
      }
    })
    return request
  }
  const store = {
    get: (key: string) => answering(() => kept.get(key)),
    add: (value: unknown, key: string) =>
      answering(() => {
        if (kept.has(key)) throw new DOMException('there already', 'ConstraintError')
        kept.set(key, value)
        return key
      }),
  }
  return {
    open() {
      const opening = answering(() => ({ transaction: () => ({ objectStore: () => store }), close: () => undefined }))
      return opening
    },
  } as unknown as IDBFactory
}
