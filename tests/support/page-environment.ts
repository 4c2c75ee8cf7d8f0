/**
 * A DOM for tests of React, with the network's parts left as Node has them: those keep to the clock of a test, and the DOM's own don't.
 *
 * @module
 */

import { Window } from 'happy-dom'
import type { Environment } from 'vitest/runtime'
import { populateGlobal } from 'vitest/runtime'

const NODES_OWN = ['Blob', 'File'] as const

const environment: Environment = {
  name: 'page',
  viteEnvironment: 'ssr',
  setup(global: typeof globalThis) {
    const nodes = NODES_OWN.map((name) => Object.getOwnPropertyDescriptor(global, name) as PropertyDescriptor)
    const window = new Window({ url: 'https://app.example.com/' })
    const { keys, originals } = populateGlobal(global, window, { bindFunctions: true })
    for (const [index, name] of NODES_OWN.entries()) {
      Object.defineProperty(global, name, nodes[index] as PropertyDescriptor)
      keys.delete(name)
      originals.delete(name)
    }
    return {
      async teardown() {
        await window.happyDOM.close()
        for (const key of keys) Reflect.deleteProperty(global, key)
        for (const [key, original] of originals) Reflect.set(global, key, original)
      },
    }
  },
}

// Vitest asks for it by this name.
// oxlint-disable-next-line import/no-default-export
export default environment
