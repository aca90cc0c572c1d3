import { describe, expect, it } from 'vitest'
import { records } from './records'

const HEADER = 'date,description,amount,currency,notes\n'
const GOOD = '2024-01-01,a,1,EUR,'
/** Number and line of each record behind the header. */
const lines = (text: string) => [...records(HEADER + text, ',')].slice(1).map(({ line }) => line)
const fields = (text: string, delimiter = ',') => [...records(text, delimiter)].map((record) => record.fields)

describe('records', () => {
  // The same cases as in api/src/cli/import/table.rs.
  it('know their lines', () => {
    expect(lines(`${GOOD}\n${GOOD}`)).toEqual([2, 3])
    expect(lines(`${GOOD}\r\n${GOOD}\r\n`)).toEqual([2, 3])
    expect(lines(`\n\n${GOOD}\n\n${GOOD}\n\n`)).toEqual([4, 6])
    expect(lines(`\r\n${GOOD}\r\n\r\n${GOOD}`)).toEqual([3, 5])
    expect(lines('2024-01-01,a,1,EUR,"two\nlines"\nwrong\n2024-01-01,b,1,EUR,"\n\n"\r\nwrong')).toEqual([2, 4, 5, 8])
    expect(lines('')).toEqual([])
  })

  it('are counted without blank lines', () => {
    expect([...records('a\n\n\r\nb\n""\n', ',')].map(({ index }) => index)).toEqual([0, 1, 2])
  })

  it('have quoted fields with quotes, delimiters and line ends', () => {
    expect(fields('"a, ""b""",c\r\n"x\r\ny";z')).toEqual([['a, "b"', 'c'], ['x\r\ny;z']])
    expect(fields('a "b";"c"\n', ';')).toEqual([['a "b"', 'c']])
    expect(fields('"a"b,c')).toEqual([['ab', 'c']])
    expect(fields('""\n,\n"",""')).toEqual([[''], ['', ''], ['', '']])
  })

  it('end in empty fields where the line does', () => {
    expect(fields('a,\nb,,')).toEqual([['a', ''], ['b', '', '']])
    expect(fields('a\tb', '\t')).toEqual([['a', 'b']])
  })

  it('say where a quote is never closed', () => {
    const [, last] = records('a,b\nc,"d\ne,f\n', ',')
    expect(last).toEqual({ index: 1, line: 2, fields: ['c', 'd\ne,f\n'], closed: false })
  })

  it('may end in a carriage return alone', () => {
    expect(fields('a,b\rc,d\r')).toEqual([['a', 'b'], ['c', 'd']])
  })
})
