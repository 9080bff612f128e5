/**
 * What happens on the server, as it happens (docs/reference/extensions.md, "Live stream").
 *
 * Views subscribe to batches; while a view watches executions (`watchTree`), batches also have their tasks and actions.
 * Where something may have been missed, `isReload` says so and views fetch anew. All tabs share the connections
 * (stream/tabs.ts).
 */
import { useEffect, useRef, useSyncExternalStore } from "react"
import type { LiveBatch, LiveState } from "./stream/events"
import { MOST_TREES } from "./stream/hub"
import { Tab } from "./stream/tabs"

export type { ActionEvent, DeletedEvent, ExecutionEvent, LiveBatch, LiveState, TaskEvent } from "./stream/events"

const listeners = new Set<(batch: LiveBatch) => void>()
const stateListeners = new Set<() => void>()
const watched = new Map<string, number>()
let tab: Tab | null = null
let state: LiveState = "off"

function setState(to: LiveState): void {
  if (state === to) return
  state = to
  for (const listener of stateListeners) listener()
}

/** Opens the stream for whoever logged in; null closes it, at log-out. */
export function setLive(who: string | null): void {
  tab?.end()
  tab = null
  if (who === null) return setState("off")
  tab = new Tab(who, {
    onBatch: (batch) => {
      for (const listener of listeners) listener(batch)
    },
    onState: setState,
  })
  tab.want(wanted())
}

/** Asks for every change of that execution's tree too, until the answer is called. */
export function watchTree(id: string): () => void {
  watched.set(id, (watched.get(id) ?? 0) + 1)
  settle()
  return () => {
    const left = (watched.get(id) ?? 1) - 1
    if (left > 0) watched.set(id, left)
    else watched.delete(id)
    settle()
  }
}

let isSettling = false

/** Views come and go together: what is left then counts. */
function settle(): void {
  if (isSettling) return
  isSettling = true
  queueMicrotask(() => {
    isSettling = false
    tab?.want(wanted())
  })
}

function wanted(): string[] {
  return [...watched.keys()].slice(-MOST_TREES)
}

export function subscribeLive(listener: (batch: LiveBatch) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Calls back with each batch, and watches the tree of `executionId` while the view is there. */
export function useLive(listener: (batch: LiveBatch) => void, executionId?: string): void {
  const latest = useRef(listener)
  useEffect(() => {
    latest.current = listener
  })
  useEffect(() => subscribeLive((one) => latest.current(one)), [])
  useEffect(() => (executionId === undefined ? undefined : watchTree(executionId)), [executionId])
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      stateListeners.add(listener)
      return () => stateListeners.delete(listener)
    },
    () => state,
  )
}

/** Calls `run` at once, then at most every `ms`; the last call is never lost. */
export function throttled(run: () => void, ms: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAgain = false
  const tick = () => {
    timer = undefined
    if (!isAgain) return
    isAgain = false
    timer = setTimeout(tick, ms)
    run()
  }
  return () => {
    if (timer !== undefined) {
      isAgain = true
      return
    }
    timer = setTimeout(tick, ms)
    run()
  }
}
