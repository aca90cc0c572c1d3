import { expect, test } from 'vitest'
import { moment } from '@/testing/replicas'
import { standingOf } from './standing'

const standing = (revisions: number[], changed: Parameters<typeof moment>[2] = {}, diverged = false) =>
  standingOf(moment(0, revisions, changed).replicas, diverged)
const away = { role: 'UNREACHABLE', inSync: false } as const

test('all is well', () => {
  expect(standing([10, 10, 10])).toEqual({ total: 3, head: '10', holding: 3, leader: '1', hashes: 'equal' })
})

test('replicas at different revisions do not compare', () => {
  expect(standing([10, 9, 10])).toMatchObject({ head: '10', holding: 2, hashes: 'apart' })
})

test('one that is away holds nothing for sure, and does not keep the others from being equal', () => {
  expect(standing([10, 10, 10], { 3: away })).toMatchObject({ total: 3, holding: 2, hashes: 'equal' })
  expect(standing([10, 10, 12], { 3: away })).toMatchObject({ head: '10', holding: 2, hashes: 'equal' })
})

test('the last one has nothing to be compared with, and no leader', () => {
  expect(standing([10, 10, 10], { 1: away, 3: away })).toMatchObject({ holding: 1, leader: null, hashes: 'alone' })
})

test('different hashes at an equal revision are an alarm', () => {
  expect(standing([10, 10, 10], { 2: { stateHash: 'x' } })?.hashes).toBe('differ')
  expect(standing([10, 9, 10], {}, true)?.hashes).toBe('differ')
})

test('nothing is said of nothing', () => {
  expect(standingOf([], false)).toBeNull()
})
