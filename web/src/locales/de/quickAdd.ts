import type en from '../en/quickAdd'

export default {
  title: 'Neue Ausgabe',
  date: 'Datum',
  amount: {
    label: 'Betrag',
    negate: 'Vorzeichen wechseln',
    syntax: 'Das ist weder eine Zahl noch eine Rechnung.',
    decimals: '{currency} hat keine Nachkommastellen. | {currency} hat höchstens {count} Nachkommastelle. | {currency} hat höchstens {count} Nachkommastellen.',
    zero: 'Ein Betrag kann nicht null sein.',
    large: 'Das ist zu groß für einen Betrag.',
    division: 'Durch null lässt sich nicht teilen.',
    missing: 'Wie viel war es?',
  },
  currency: 'Währung',
  category: 'Kategorie',
  description: 'Beschreibung',
  descriptionHint: 'Was war es?',
  tags: {
    label: 'Tags',
    remove: 'Tag {tag} entfernen',
    full: 'Mehr als {count} Tags sind nicht möglich.',
    hint: 'Nach jedem Enter oder ein Komma',
  },
  notes: 'Notizen',
  more: 'Tags und Notizen',
  added: 'Hinzugefügt: {description}, {amount}, {date}',
  problem: {
    nameless: 'Sag, was es war, oder wähle eine Kategorie.',
    dateless: 'An welchem Tag war es?',
    full: 'Es warten zu viele Änderungen. Diese bleibt hier, bis ein Replikat antwortet.',
    categoryUnsent: 'Kein Replikat antwortet. Die Kategorie „{name}“ wurde nicht angelegt.',
  },
  refused: {
    label: 'Abgelehnte Ausgaben',
    which: '{description}, {amount} wurde abgelehnt:',
    correct: 'Korrigieren',
    discard: 'Verwerfen',
  },
  picker: {
    open: 'Alle zeigen',
    none: 'So heißt hier nichts.',
    create: '„{name}“ anlegen',
  },
} satisfies typeof en
