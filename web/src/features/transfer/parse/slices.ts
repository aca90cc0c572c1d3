/** Long work in slices, between which the page answers. */

/** How long one slice may take, in milliseconds: less than a frame. */
const SLICE = 12
/** Items between two looks at the clock. */
const STRIDE = 64

/** Hands every item to `take`, and lets the page breathe. Rejects with the signal's reason where it is aborted. */
export async function inSlices<Item>(items: Iterable<Item>, take: (item: Item) => void, signal?: AbortSignal) {
  let began = performance.now()
  let count = 0
  for (const item of items) {
    take(item)
    count += 1
    if (count % STRIDE !== 0 || performance.now() - began < SLICE) continue
    await new Promise((resolve) => setTimeout(resolve))
    signal?.throwIfAborted()
    began = performance.now()
  }
  signal?.throwIfAborted()
}
