/** Lays graphs out in workers: by elk where that is quick enough, else by the layout of our own. */
import { byElk } from "./elk"
import type { LayoutInput, LayoutResult } from "./types"

export type { Box, Direction, LayoutInput, LayoutResult, Line, Point } from "./types"

/** From so many boxes on a graph is drawn as a large one: elk would take seconds. */
export const LARGE = 300
const MANY_LINES = 900

export function layoutOf(input: LayoutInput): Promise<LayoutResult> {
  const isLarge = input.boxes.length > LARGE || input.lines.length > MANY_LINES
  // elk refuses some graphs that are no use to anybody; the other layout takes all.
  return isLarge ? byOwn(input) : byElk(input).catch(() => byOwn(input))
}

let asked = 0
let worker: Worker | undefined = started() // small, and ready when the graph is here
const waiting = new Map<number, { resolve: (result: LayoutResult) => void; reject: (error: Error) => void }>()

function byOwn(input: LayoutInput): Promise<LayoutResult> {
  worker ??= started()
  const id = ++asked
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    worker?.postMessage({ id, input })
  })
}

function started(): Worker {
  const made = new Worker(new URL("./layered.worker.ts", import.meta.url), { type: "module" })
  made.addEventListener("message", (event: MessageEvent<{ id: number; result: LayoutResult }>) => {
    waiting.get(event.data.id)?.resolve(event.data.result)
    waiting.delete(event.data.id)
  })
  made.addEventListener("error", () => {
    for (const { reject } of waiting.values()) reject(new Error("The graph could not be laid out."))
    waiting.clear()
    made.terminate()
    worker = undefined
  })
  return made
}
