/** Waits until the probe gives something else than null or false, asking again and again; never for ever. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | null | false> | T | null | false,
  milliseconds = 30_000,
): Promise<T> {
  const deadline = Date.now() + milliseconds
  for (;;) {
    const found = await probe()
    if (found !== null && found !== false) return found
    if (Date.now() > deadline) throw new Error(`${what}: not within ${milliseconds} ms`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
