import { expect, test } from 'vitest'
import { moment } from '@/testing/replicas'
import { createHashBook } from './hashes'

test('replicas at different revisions are not compared', () => {
  expect(createHashBook().compare(moment(0, [10, 11, 9]))).toBeNull()
})

test('a different hash at an equal revision is found', () => {
  const book = createHashBook()
  expect(book.compare(moment(0, [10, 10, 10], { 3: { stateHash: 'another' } }))).toEqual({
    revision: '10',
    between: ['1', '3'],
  })
})

test('also where one replica was there earlier, and it stays found', () => {
  const book = createHashBook()
  book.compare(moment(0, [10, 9, 9]))
  expect(book.compare(moment(1, [11, 10, 9], { 2: { stateHash: 'another' } }))?.between).toEqual(['1', '2'])
  expect(book.compare(moment(2, [13, 12, 9]))?.revision).toBe('10')
})

test('nothing is held against a replica whose data were replaced', () => {
  const book = createHashBook()
  book.compare(moment(0, [10, 10, 10], { 3: { stateHash: 'another' } }))
  expect(book.compare(moment(1, [1, 1, 1]))).toBeNull()
  expect(book.compare(moment(2, [10, 10, 10], { 1: { stateHash: 'x' }, 2: { stateHash: 'x' }, 3: { stateHash: 'x' } }))).toBeNull()
})
