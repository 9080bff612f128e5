/** Runs `layered` outside of the page's thread. */
import { layered } from "./layered"
import type { LayoutInput } from "./types"

addEventListener("message", (event: MessageEvent<{ id: number; input: LayoutInput }>) => {
  postMessage({ id: event.data.id, result: layered(event.data.input) })
})
