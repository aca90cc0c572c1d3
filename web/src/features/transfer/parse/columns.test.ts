import { describe, expect, it } from 'vitest'
import { guessColumns } from './columns'
import { records } from './records'
import { columnNames, detectLayout, layoutWith } from './table'

function guess(text: string, delimiter = ';') {
  const all = [...records(text, delimiter)]
  const layout = detectLayout(all)
  const names = columnNames(all, layout)
  return { layout, columns: guessColumns(names, all.slice(layout.first).map(({ fields }) => fields)) }
}

describe('the columns of a file', () => {
  it('are found in our own files', () => {
    const { layout, columns } = guess(
      'date,description,amount,currency,category,notes,tags\n2026-01-02,Bakery,3.50,EUR,Food,,a;b\n',
      ',',
    )
    expect(layout).toEqual({ header: 0, first: 1, width: 7 })
    expect(columns).toEqual({ date: 0, description: 1, amount: 2, currency: 3, category: 4, notes: 5, tags: 6 })
  })

  it('are found in the files of German banks, behind their preamble', () => {
    const { layout, columns } = guess(
      'Umsatzanzeige;Datei vom 22.11.2026\n\nKonto;Girokonto\nSaldo;1.000,00\n\n' +
        'Buchung;Valuta;Auftraggeber/Empfänger;Buchungstext;Verwendungszweck;Saldo;Währung;Betrag;Währung\n' +
        '22.11.2026;23.11.2026;REWE;Lastschrift;Einkauf 1;1.000,00;EUR;-12,50;EUR\n' +
        '21.11.2026;22.11.2026;DB;Lastschrift;Fahrkarte;1.012,50;EUR;-30,00;EUR\n',
    )
    expect(layout).toEqual({ header: 3, first: 4, width: 9 })
    expect(columns).toEqual({ date: 0, description: 2, amount: 7, currency: 6, notes: 4 })
  })

  it('may have amounts in two columns', () => {
    const { columns } = guess('Datum;Text;Soll;Haben;Saldo\n1.2.2026;Kiosk;5,00;;10,00\n2.2.2026;Lohn;;100,00;110,00\n')
    expect(columns).toEqual({ date: 0, description: 1, debit: 2, credit: 3 })
  })

  it('are one column where only one direction has one', () => {
    expect(guess('Date,Description,Debit\n2026-01-02,Kiosk,5.00\n', ',').columns).toMatchObject({ amount: 2 })
    expect(guess('Date,Details,Amount,Credit Card\n2026-01-02,Kiosk,5.00,77\n', ',').columns).toMatchObject({ amount: 2 })
  })

  it('are found by what stands in them where they have no names', () => {
    const { layout, columns } = guess('01/02/2026,-5.00,Kiosk,GBP,1\n02/02/2026,-6.10,Bakery,GBP,1\n', ',')
    expect(layout).toEqual({ header: null, first: 0, width: 5 })
    expect(columns).toEqual({ date: 0, amount: 1, description: 2, currency: 3 })
  })

  it('follow another line of names', () => {
    const all = [...records('a;b\nDatum;Betrag;Text\n1.1.2026;1;x\n', ';')]
    expect(layoutWith(all, 0)).toEqual({ header: 0, first: 1, width: 2 })
    expect(layoutWith(all, null)).toEqual({ header: null, first: 1, width: 3 })
  })
})
