import Big from 'big.js'
import { describe, expect, it } from 'vitest'
import { evaluate } from './arithmetic'
import { readNumber, decimalMark } from './number'

/** The amount, or the problem. */
function result(text: string, decimals = 2, mark: '.' | ',' = '.') {
  const found = evaluate(text, decimals, mark)
  return found.ok ? found.amount : found.problem
}

describe('a number', () => {
  it.each([
    ['12.5', '12.50'],
    ['12,5', '12.50'],
    ['12', '12.00'],
    ['.5', '0.50'],
    ['5.', '5.00'],
    ['-3.20', '-3.20'],
    ['−3.20', '-3.20'],
    ['+3.20', '3.20'],
    ['€ 9.99', '9.99'],
    ['-€9.99', '-9.99'],
    ['9,99 €', '9.99'],
    ['=4', '4.00'],
    ['1,234.56', '1234.56'],
    ['1.234,56', '1234.56'],
    ["1'234.56", '1234.56'],
    ['1’234.56', '1234.56'],
    ['1 234,56', '1234.56'],
    ['1 234 567', '1234567.00'],
    ['1,234,567', '1234567.00'],
    ['12,34,567.50', '1234567.50'],
  ])('%s is %s', (text, amount) => expect(result(text)).toBe(amount))

  it('means the thousands of the own country', () => {
    expect(result('1.234', 2, ',')).toBe('1234.00')
    expect(result('1,234', 2, '.')).toBe('1234.00')
    expect(result('1,234', 3, ',')).toBe('1.234')
    expect(result('1.234', 3, '.')).toBe('1.234')
    expect(result('1.234', 2, '.')).toBe('decimals')
    expect(result('0.125', 3, ',')).toBe('0.125')
  })

  it.each(['', '   '])('is missing in "%s"', (text) => expect(result(text)).toBe('empty'))

  it.each(['abc', '1.2.3', '1,2,3', '1,23,4', '1.234,567.8', '1 2', '12 5', '1e5', '.', ',', '-', '1..2', '1 234.5.6'])(
    '%s is none',
    (text) => expect(result(text)).toBe('syntax'),
  )

  it('says when it was read with thousands', () => {
    expect(readNumber('1,234.5', '.')).toEqual({ number: '1234.5', grouped: true })
    expect(readNumber('1234.5', '.')).toEqual({ number: '1234.5', grouped: false })
  })
})

describe('a calculation', () => {
  it.each([
    ['12.50+3*2', '18.50'],
    ['12,50 + 3 × 2', '18.50'],
    ['(80-20)/3', '20.00'],
    ['2*(3+(4-1))', '12.00'],
    ['10-2-3', '5.00'],
    ['100/5/2', '10.00'],
    ['-(2+3)', '-5.00'],
    ['2*-3', '-6.00'],
    ['0.1+0.2', '0.30'],
    ['100:3*3', '100.00'],
    ['1/3+1/3+1/3', '1.00'],
    ['1,000.50+1', '1001.50'],
  ])('%s is %s', (text, amount) => expect(result(text)).toBe(amount))

  it.each(['12+', '(1', '1)', '1 + * 2', '2(3)', '()', '*3', '1+()'])('%s is not finished', (text) =>
    expect(result(text)).toBe('syntax'),
  )

  it('says that it is one', () => {
    expect(evaluate('5', 2, '.')).toMatchObject({ calculated: false, rounded: false })
    expect(evaluate('-5', 2, '.')).toMatchObject({ calculated: false })
    expect(evaluate('5+1', 2, '.')).toMatchObject({ calculated: true, rounded: false })
    expect(evaluate('10/3', 2, '.')).toMatchObject({ amount: '3.33', calculated: true, rounded: true })
    expect(evaluate('1,234', 2, '.')).toMatchObject({ amount: '1234.00', calculated: true })
  })

  it('rounds a division half to even, once', () => {
    expect(result('0.25/2')).toBe('0.12')
    expect(result('0.27/2')).toBe('0.14')
    expect(result('-0.25/2')).toBe('-0.12')
    // 0.1249… must not become 0.125 first.
    expect(result('1.249/10')).toBe('0.12')
    expect(result('5/2', 0)).toBe('2')
    expect(result('7/2', 0)).toBe('4')
  })

  it('leaves the settings of big.js as they were', () => {
    const before = [Big.DP, Big.RM]
    result('10/3')
    expect([Big.DP, Big.RM]).toEqual(before)
  })
})

describe('what is refused', () => {
  it('has too many decimals, and is never rounded', () => {
    expect(result('12.345')).toBe('decimals')
    expect(result('12.5', 0)).toBe('decimals')
    expect(result('1.5*1.55')).toBe('decimals')
    expect(result('12.340')).toBe('12.34')
  })

  it('is nothing', () => {
    expect(result('0')).toBe('zero')
    expect(result('5-5')).toBe('zero')
    expect(result('0.01/4')).toBe('zero')
  })

  it('has too many digits', () => {
    expect(result('9999999999999.99')).toBe('9999999999999.99')
    expect(result('10000000000000')).toBe('large')
    expect(result('999999999999999', 0)).toBe('999999999999999')
    expect(result('1000000000000000', 0)).toBe('large')
  })

  it('divides by nothing', () => {
    expect(result('5/0')).toBe('division')
    expect(result('5/(2-2)')).toBe('division')
  })

  it('is longer or deeper than anybody types', () => {
    expect(result('1+'.repeat(200) + '1')).toBe('syntax')
    expect(result('('.repeat(90) + '1' + ')'.repeat(90))).toBe('syntax')
  })

  it('never throws', () => {
    const signs = '0123456789.,\'+-*/() x:€%a '
    let seed = 7
    for (let round = 0; round < 3000; round += 1) {
      let text = ''
      for (let length = 0; length < 12; length += 1) {
        seed = (seed * 1103515245 + 12345) % 2147483648
        text += signs[seed % signs.length]
      }
      const found = result(text)
      expect(found).toMatch(/^(-?\d+\.\d\d|empty|syntax|decimals|zero|large|division)$/)
    }
  })
})

describe('the decimal mark', () => {
  it('is the country’s', () => {
    expect([decimalMark('en'), decimalMark('de-AT'), decimalMark('de-CH')]).toEqual(['.', ',', '.'])
  })
})
