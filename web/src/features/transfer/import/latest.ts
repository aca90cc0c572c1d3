/** Work of which only the newest counts: whatever began before is aborted. */
export type Latest = ReturnType<typeof createLatest>

export function createLatest() {
  let current = new AbortController()

  function stop(): AbortSignal {
    current.abort()
    current = new AbortController()
    return current.signal
  }

  return {
    stop,
    /** Resolves also where it is aborted. */
    async begin(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
      const signal = stop()
      try {
        await work(signal)
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
  }
}
