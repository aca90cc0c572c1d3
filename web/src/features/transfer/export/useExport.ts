/** One export: how far it is, and the file at its end. */
import { onScopeDispose, reactive, readonly } from 'vue'
import { useI18n } from 'vue-i18n'
import { today } from '@/format/date'
import type { ExpenseFilter } from '@/graphql/generated/graphql'
import { useServices } from '@/services'
import { saveFile } from '../save'
import { csvWriter, jsonWriter, type Format } from './formats'
import { pageReader, writeAll } from './read'

export function useExport() {
  const { client } = useServices()
  const { t } = useI18n()
  const state = reactive({
    phase: 'idle' as 'idle' | 'running' | 'saved' | 'none' | 'failed',
    done: 0,
    /** Null until it is known. */
    total: null as number | null,
    name: '',
  })
  let cancelling = new AbortController()

  async function start(filter: ExpenseFilter, format: Format, byteOrderMark: boolean) {
    if (state.phase === 'running') return
    cancelling = new AbortController()
    const { signal } = cancelling
    Object.assign(state, { phase: 'running', done: 0, total: null })
    const writer = format === 'csv' ? csvWriter(byteOrderMark) : jsonWriter()
    const progress = (done: number, total: number) => void Object.assign(state, { done, total })
    try {
      const { parts, count } = await writeAll(pageReader(client, filter), writer, progress, signal)
      state.name = `${t('transfer.export.file')}-${today()}.${format}`
      state.phase = count === 0 ? 'none' : 'saved'
      if (count > 0) saveFile(state.name, parts, writer.type)
    } catch {
      state.phase = signal.aborted ? 'idle' : 'failed'
    }
  }

  // Whoever goes to another page does not want to be surprised by a file.
  onScopeDispose(() => cancelling.abort())

  return { state: readonly(state), start, cancel: () => cancelling.abort() }
}
