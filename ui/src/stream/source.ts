/**
 * One EventSource. What came within one turn of the event loop is handed over together; a broken connection goes on
 * where it was. Timers of tabs in the background hardly tick, so none is between an event and its listener.
 */
import { address } from "~/api/client"
import {
  emptyBatch,
  type ActionEvent,
  type DeletedEvent,
  type ExecutionEvent,
  type LiveBatch,
  type LiveState,
  type TaskEvent,
} from "./events"

export interface Listening {
  onBatch: (batch: LiveBatch) => void
  onState: (state: LiveState) => void
  /** The server refuses it for good: 401, 404, 429. */
  onRefused: () => void
}

const soon = new MessageChannel()
const waiting: (() => void)[] = []
soon.port1.onmessage = () => waiting.shift()?.()

/** Runs when the messages that are here already have been handled. */
function afterMessages(run: () => void): void {
  waiting.push(run)
  soon.port2.postMessage(null)
}

export class Source {
  /** Where the stream is, for a new one to go on from there. */
  lastId: string
  private events: EventSource
  private batch: LiveBatch | null = null
  private isClosed = false

  /** `trees`: executions of whose tasks and actions it tells too. A stream that begins without `lastId` has missed
   * nothing that anybody could have known. */
  constructor(
    readonly trees: string[],
    lastId: string,
    private readonly listening: Listening,
  ) {
    this.lastId = lastId
    this.events = new EventSource(address("/v2/stream", { execution_id: trees.join(","), last_event_id: lastId }))
    let isFirst = lastId === ""
    this.on<{ is_resumed: boolean }>("hello", (hello) => {
      listening.onState("live")
      if (!hello.is_resumed && !isFirst) this.pending().isReload = true
      isFirst = false
    })
    this.on<ExecutionEvent>("execution", (one) => this.pending().executions.push(one))
    this.on<TaskEvent>("task", (one) => this.pending().tasks.push(one))
    this.on<ActionEvent>("action", (one) => this.pending().actions.push(one))
    this.on<DeletedEvent>("deleted", (one) => this.pending().deleted.push(one))
    this.on("reload", () => {
      this.lastId = ""
      this.pending().isReload = true
    })
    this.events.onerror = () => {
      if (this.isClosed) return
      listening.onState("broken")
      if (this.events.readyState === EventSource.CLOSED) listening.onRefused()
    }
  }

  close(): void {
    this.isClosed = true
    this.events.close()
  }

  private on<T>(name: string, take: (value: T) => void): void {
    this.events.addEventListener(name, (event) => {
      if (this.isClosed) return
      const message = event as MessageEvent<string>
      if (message.lastEventId) this.lastId = message.lastEventId
      take(JSON.parse(message.data) as T)
    })
  }

  private pending(): LiveBatch {
    if (this.batch === null) {
      this.batch = emptyBatch()
      afterMessages(() => {
        const done = this.batch
        this.batch = null
        if (done && !this.isClosed) this.listening.onBatch(done)
      })
    }
    return this.batch
  }
}
