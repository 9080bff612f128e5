/**
 * Tabs of one browser share the streams: over HTTP/1.1 a browser has six connections to a server for all of them.
 *
 * The tab that holds a lock of the browser's has the hub, and passes on what it hears; when it closes, the next one gets
 * the lock and goes on where it was. Without such locks (a page by http from another machine has none) each tab has a
 * hub of its own, and gives it up while it is in the background.
 */
import { emptyBatch, type LiveBatch, type LiveState } from "./events"
import { Hub, type HubListening, type Places } from "./hub"

const HIDDEN_MS = 30_000
const SAY_AGAIN_MS = 60_000

type Message =
  | { kind: "want"; tab: string; trees: string[] }
  | { kind: "call" } // the tab that has the hub now asks the others what they want
  | { kind: "batch"; batch: LiveBatch; trees: string[] | null; places: Places }
  | { kind: "state"; state: LiveState; places: Places }

export interface TabListening {
  onBatch: (batch: LiveBatch) => void
  onState: (state: LiveState) => void
}

export class Tab {
  private readonly name = crypto.getRandomValues(new Uint32Array(2)).join("-")
  private readonly channel: BroadcastChannel | null
  private readonly ending = new AbortController()
  private hub: Hub | null = null
  private trees: string[] = []
  private places: Places = { project: "", trees: "" }
  private hiding: ReturnType<typeof setTimeout> | undefined
  private saying: ReturnType<typeof setInterval> | undefined

  /** `who`: tabs of another user, or of another project, have nothing to do with each other. */
  constructor(
    who: string,
    private readonly listening: TabListening,
  ) {
    const options = { signal: this.ending.signal }
    document.addEventListener("visibilitychange", () => this.onVisibility(), options)
    window.addEventListener("pagehide", () => this.say({ kind: "want", tab: this.name, trees: [] }), options)
    window.addEventListener("pageshow", (event) => event.persisted && this.want(this.trees), options)
    const isShared = "locks" in navigator && "BroadcastChannel" in window
    this.channel = isShared ? new BroadcastChannel(`ostro-live ${who}`) : null
    listening.onState("connecting")
    if (this.channel === null) {
      this.open()
      return
    }
    this.channel.onmessage = (event: MessageEvent<Message>) => this.take(event.data)
    this.saying = setInterval(() => this.trees.length > 0 && this.want(this.trees), SAY_AGAIN_MS)
    this.want([])
    const held = new Promise<void>((resolve) => this.ending.signal.addEventListener("abort", () => resolve()))
    navigator.locks
      .request(`ostro-live ${who}`, options, () => {
        this.open()
        return held
      })
      .catch(() => {}) // the tab has ended before its turn came
  }

  /** Executions of whose trees the tab wants to hear everything. */
  want(trees: string[]): void {
    this.trees = trees
    if (this.hub) this.hub.want(this.name, trees)
    else this.say({ kind: "want", tab: this.name, trees })
  }

  end(): void {
    this.say({ kind: "want", tab: this.name, trees: [] })
    this.ending.abort()
    clearTimeout(this.hiding)
    clearInterval(this.saying)
    this.hub?.stop()
    this.channel?.close()
  }

  private open(): void {
    const listening: HubListening = {
      onBatch: (batch, trees, places) => {
        this.say({ kind: "batch", batch, trees, places })
        this.hear(batch, trees, places)
      },
      onState: (state, places) => {
        this.say({ kind: "state", state, places })
        this.listening.onState(state)
      },
    }
    this.hub = new Hub(this.places, listening)
    if (this.trees.length > 0) this.hub.want(this.name, this.trees)
    this.say({ kind: "call" })
  }

  private say(message: Message): void {
    this.channel?.postMessage(message)
  }

  private take(message: Message): void {
    if (message.kind === "call") {
      if (this.trees.length > 0) this.want(this.trees)
    } else if (message.kind === "want") {
      if (this.hub === null) return
      this.hub.want(message.tab, message.trees)
      this.hub.tell()
    } else if (message.kind === "state") {
      this.places = message.places
      this.listening.onState(message.state)
    } else {
      this.hear(message.batch, message.trees, message.places)
    }
  }

  private hear(batch: LiveBatch, trees: string[] | null, places: Places): void {
    this.places = places
    const isMine = trees === null || trees.some((id) => this.trees.includes(id))
    if (batch.isReload && !isMine) batch = { ...emptyBatch(), executions: batch.executions, deleted: batch.deleted }
    this.listening.onBatch(batch)
  }

  private onVisibility(): void {
    clearTimeout(this.hiding)
    if (this.channel !== null) {
      if (!document.hidden && this.trees.length > 0) this.want(this.trees) // the newest wish counts
    } else if (!document.hidden) {
      if (this.hub === null) this.open()
    } else {
      this.hiding = setTimeout(() => {
        this.hub?.stop()
        this.hub = null
      }, HIDDEN_MS)
    }
  }
}
