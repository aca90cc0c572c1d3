import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { listenToKeys, useShortcuts } from './shortcuts'

const run = vi.fn()
let scope: EffectScope
let stop: () => void

beforeEach(() => {
  run.mockReset()
  scope = effectScope()
  scope.run(() => useShortcuts({ key: '[', label: () => '', run }))
  stop = listenToKeys()
})
afterEach(() => {
  scope.stop()
  stop()
})

/** A key as the browser reports it; `third` where AltGr is held. */
function press(init: KeyboardEventInit, third = false) {
  const event = new KeyboardEvent('keydown', { key: '[', bubbles: true, cancelable: true, ...init })
  Object.defineProperty(event, 'getModifierState', { value: (name: string) => third && name === 'AltGraph' })
  document.body.dispatchEvent(event)
}

it('runs by its key, also where that takes AltGr', () => {
  press({})
  press({ ctrlKey: true, altKey: true }, true)
  expect(run).toHaveBeenCalledTimes(2)
})

it('is another key with Alt or Control', () => {
  press({ altKey: true })
  press({ ctrlKey: true })
  expect(run).not.toHaveBeenCalled()
})
