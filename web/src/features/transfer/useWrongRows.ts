/** The rows that cannot be imported, as a file to be mended: the line and the reason, then the fields as they were. */
import Papa from 'papaparse'
import { useI18n } from 'vue-i18n'
import type { Import } from './import/useImport'
import type { Fault } from './parse/rows'
import { saveFile } from './save'

export function useWrongRows() {
  const { t } = useI18n()
  return {
    save(faults: readonly Fault[], { names, file, delimiter }: Import['source']) {
      const header = [t('transfer.import.lineColumn'), t('transfer.import.reasonColumn'), ...names.value]
      const rows = faults.map(({ line, code, text, fields }) => [String(line), t(`transfer.import.reason.${code}`, { text }), ...fields])
      const csv = Papa.unparse([header, ...rows], { delimiter: delimiter.value, newline: '\n', escapeFormulae: true })
      const name = (file.value?.name ?? '').replace(/\.\w+$/, '')
      saveFile(`${name}-${t('transfer.import.reasonColumn')}.csv`, [csv, '\n'], 'text/csv;charset=utf-8')
    },
  }
}
