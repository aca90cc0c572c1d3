import { expect, test } from 'vitest'
import { sinceContact, type Contact } from './contact'

const T = 1_000_000
const contact: Contact = {
  at: T,
  replicas: [
    { id: '1', lastSeenAt: '2026-11-22T12:00:00.900Z' },
    { id: '2', lastSeenAt: '2026-11-22T12:00:00.600Z' },
    { id: '3', lastSeenAt: null },
  ],
}

test('contact is counted by the clock of the replica that answers, and goes on here', () => {
  expect(sinceContact(contact, '2', T)).toBe(300)
  expect(sinceContact(contact, '2', T + 450)).toBe(750)
  expect(sinceContact(contact, '1', T)).toBe(0)
})

test('one that was never heard from has no contact', () => {
  expect(sinceContact(contact, '3', T)).toBeNull()
  expect(sinceContact(contact, '9', T)).toBeNull()
})

test('a clock here that goes back does not make it negative', () => {
  expect(sinceContact(contact, '1', T - 5_000)).toBe(0)
})
