import { expect, test } from 'vitest'
import { missingPlatforms } from './complete-lock.ts'

test('a platform that is asked for and not held is added with its version and platform', () => {
  const optionalDependencies = {
    '@native/darwin-arm64': '1.2.3',
    '@native/linux-x64-musl': '1.2.3',
    '@native/binding-linux-arm-gnueabihf': '1.2.3',
    '@native/windows-x64': '1.2.3',
    '@native/linux-x64-gnu': '1.2.3',
  }
  const packages = {
    'node_modules/native': { version: '1.2.3', dev: true, optionalDependencies },
    'node_modules/@native/linux-x64-gnu': { version: '1.2.3' },
  }
  const common = { version: '1.2.3', dev: true, optional: true }
  expect(missingPlatforms({ packages })).toEqual({
    'node_modules/@native/darwin-arm64': { ...common, os: ['darwin'], cpu: ['arm64'] },
    'node_modules/@native/linux-x64-musl': { ...common, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
    'node_modules/@native/binding-linux-arm-gnueabihf': { ...common, os: ['linux'], cpu: ['arm'], libc: ['glibc'] },
    'node_modules/@native/windows-x64': { ...common, os: ['win32'], cpu: ['x64'] },
  })
})

test('what is held in a folder between the package and the root is not missing', () => {
  const packages = {
    'packages/a/node_modules/native': { optionalDependencies: { inner: '1.0.0', 'native-linux-x64': '1.0.0' } },
    'packages/a/node_modules/native-linux-x64': { version: '1.0.0' },
    'packages/a/node_modules/native/node_modules/inner': { version: '1.0.0' },
  }
  expect(missingPlatforms({ packages })).toEqual({})
})
