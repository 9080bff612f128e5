/**
 * One stream of server-sent events for the whole tab (docs/reference/api.md, "/v2/stream").
 *
 * Views subscribe to batches; what came within one turn of the event loop is handed over together. While a view
 * watches executions (`watchTree`), the stream also tells of their tasks and actions. The browser reconnects by
 * itself; where the server cannot resume without a gap, subscribers get `isReload` and fetch anew.
 */
import { useEffect, useRef, useSyncExternalStore } from "react"
import { address } from "~/api/client"

export interface ExecutionEvent {
  id: string
  seq: number
  at: string
  state: string
  state_info: string | null
  workflow_name: string
  workflow_id: string
  workflow_namespace: string
  project_id: string
  root_execution_id: string | null
  task_execution_id: string | null
  description: string
  created_at: string
  updated_at: string
  finished_at: string | null
}

export interface TaskEvent {
  id: string
  seq: number
  at: string
  execution_id: string
  root_execution_id: string
  name: string
  type: string
  state: string
  state_info: string | null
  attempt: number
  created_at: string
  started_at: string | null
  finished_at: string | null
  processed: boolean
  items?: { count: number; capacity: number }
}

export interface ActionEvent {
  id: string
  seq: number
  at: string
  task_execution_id: string | null
  execution_id: string | null
  root_execution_id: string
  name: string
  index: number
  state: string
  accepted: boolean
  created_at: string
}

export interface DeletedEvent {
  id: string
  seq: number
  at: string
  root_execution_id: string
}

export interface LiveBatch {
  executions: ExecutionEvent[]
  tasks: TaskEvent[]
  actions: ActionEvent[]
  deleted: DeletedEvent[]
  /** Something was missed: fetch everything anew. */
  isReload: boolean
}

export type LiveState = "off" | "connecting" | "live" | "broken"

const listeners = new Set<(batch: LiveBatch) => void>()
const stateListeners = new Set<() => void>()
const watched = new Map<string, number>()
let source: EventSource | null = null
let sourceTrees = ""
let isEnabled = false
let state: LiveState = "off"
let batch: LiveBatch | null = null
let reopening: ReturnType<typeof setTimeout> | undefined
let isFirst = true
let areTreesRefused = false
const MOST_TREES = 8
/** Where the stream is, for a new one to go on from there. */
let lastId = ""
let hiding: ReturnType<typeof setTimeout> | undefined
const HIDDEN_MS = 30_000 // a browser has six connections for all tabs: those in the background give theirs back

function setState(to: LiveState): void {
  if (state === to) return
  state = to
  for (const listener of stateListeners) listener()
}

function pending(): LiveBatch {
  if (batch === null) {
    batch = { executions: [], tasks: [], actions: [], deleted: [], isReload: false }
    queueMicrotaskAfterMessages(flush)
  }
  return batch
}

/** Runs when the messages that are here already have been handled. */
function queueMicrotaskAfterMessages(run: () => void): void {
  setTimeout(run, 0)
}

function flush(): void {
  const done = batch
  batch = null
  if (done) for (const listener of listeners) listener(done)
}

function open(): void {
  close()
  if (!isEnabled) return
  sourceTrees = wantedTrees()
  const url = address("/v2/stream", { execution_id: sourceTrees, last_event_id: lastId })
  setState("connecting")
  const opened = new EventSource(url)
  source = opened
  const on = <T>(name: string, take: (value: T) => void) =>
    opened.addEventListener(name, (event) => {
      if (opened !== source) return
      const message = event as MessageEvent<string>
      if (message.lastEventId) lastId = message.lastEventId
      take(JSON.parse(message.data) as T)
    })
  on<{ is_resumed: boolean }>("hello", (hello) => {
    setState("live")
    // The first stream opens with the page, whose views fetch by themselves; later ones may have missed something.
    if (!hello.is_resumed && !isFirst) pending().isReload = true
    isFirst = false
  })
  on<ExecutionEvent>("execution", (one) => pending().executions.push(one))
  on<TaskEvent>("task", (one) => pending().tasks.push(one))
  on<ActionEvent>("action", (one) => pending().actions.push(one))
  on<DeletedEvent>("deleted", (one) => pending().deleted.push(one))
  on("reload", () => {
    lastId = ""
    pending().isReload = true
  })
  opened.onerror = () => {
    if (opened !== source) return
    setState("broken")
    // A refusal (401, 404, 429) ends an EventSource for good.
    if (opened.readyState !== EventSource.CLOSED) return
    // It may be for an execution that is gone: without it, what else changes still comes.
    areTreesRefused = sourceTrees !== ""
    reopen(areTreesRefused ? 0 : 3000)
  }
}

function close(): void {
  clearTimeout(reopening)
  reopening = undefined
  source?.close()
  source = null
}

function reopen(delay: number): void {
  clearTimeout(reopening)
  reopening = setTimeout(() => {
    reopening = undefined
    open()
  }, delay)
}

/** Opens the stream, when it is known who calls; closes it at log-out. */
export function setLive(enabled: boolean): void {
  if (isEnabled === enabled) return
  isEnabled = enabled
  if (enabled) open()
  else {
    close()
    lastId = ""
    isFirst = true
    setState("off")
  }
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding)
  if (document.hidden) hiding = setTimeout(close, HIDDEN_MS)
  else if (isEnabled && source === null) open()
})

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

function settle(): void {
  areTreesRefused = false
  if (!isEnabled || reopening !== undefined || source === null) return
  if (wantedTrees() !== sourceTrees) reopen(0)
}

function wantedTrees(): string {
  return areTreesRefused ? "" : [...watched.keys()].slice(-MOST_TREES).join(",")
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
