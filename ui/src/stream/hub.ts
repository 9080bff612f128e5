/**
 * The streams of a whole browser: one for the project, and one for the executions that its tabs watch. So opening an
 * execution does not disturb what else is live, and any number of tabs needs two connections.
 */
import { ApiError, api } from "~/api/client"
import { emptyBatch, type LiveBatch, type LiveState } from "./events"
import { Newest } from "./newest"
import { Source } from "./source"

export const MOST_TREES = 8
const AGAIN_MS = 3000
const FORGOTTEN_MS = 180_000 // a tab says what it wants every minute, at least

/** Where the streams are, for another tab's to go on from there. */
export interface Places {
  project: string
  trees: string
}

export interface HubListening {
  /** `trees`: whom a reload is for; null is everybody. */
  onBatch: (batch: LiveBatch, trees: string[] | null, places: Places) => void
  onState: (state: LiveState, places: Places) => void
}

export class Hub {
  private project: Source | null = null
  private trees: Source | null = null
  private next: Source | null = null
  private wants = new Map<string, { trees: string[]; at: number }>()
  private gone = new Set<string>()
  private newest = new Newest()
  private state: LiveState = "connecting"
  private timers = new Set<ReturnType<typeof setTimeout>>()
  private isStopped = false

  constructor(
    private readonly places: Places,
    private readonly listening: HubListening,
  ) {
    this.openProject()
  }

  /** What a tab watches, newest last; [] when it closes or looks elsewhere. */
  want(tab: string, trees: string[]): void {
    for (const id of trees) if (!this.isWanted(id)) this.gone.delete(id)
    const before = this.wants.get(tab)?.trees ?? []
    this.wants.delete(tab)
    if (trees.length > 0) this.wants.set(tab, { trees, at: Date.now() })
    this.settle()
    // Another tab watches it already: this one may have looked before it could hear.
    const begun = trees.filter((id) => !before.includes(id) && this.trees?.trees.includes(id))
    if (begun.length > 0) this.listening.onBatch({ ...emptyBatch(), begun }, null, this.where())
  }

  /** For tabs that have just come. */
  tell(): void {
    this.listening.onState(this.state, this.where())
  }

  stop(): void {
    this.isStopped = true
    for (const timer of this.timers) clearTimeout(timer)
    for (const source of [this.project, this.trees, this.next]) source?.close()
  }

  private where(): Places {
    return { project: this.project?.lastId ?? "", trees: this.trees?.lastId ?? "" }
  }

  private later(run: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      if (!this.isStopped) run()
    }, AGAIN_MS)
    this.timers.add(timer)
  }

  private openProject(): void {
    this.project?.close()
    const source: Source = new Source([], this.project?.lastId ?? this.places.project, {
      onBatch: (batch) => this.pass(batch, null),
      onState: (state) => {
        this.state = state
        this.tell()
      },
      onRefused: () => this.later(() => this.openProject()),
    })
    this.project = source
  }

  private isWanted(id: string): boolean {
    return [...this.wants.values()].some((want) => want.trees.includes(id))
  }

  /** At most as many as a stream takes, those that were asked for last. */
  private wanted(): string[] {
    const all = new Set<string>()
    for (const [tab, want] of this.wants) {
      if (Date.now() - want.at > FORGOTTEN_MS) this.wants.delete(tab)
      else for (const id of want.trees) if (all.delete(id) || !this.gone.has(id)) all.add(id)
    }
    return [...all].slice(-MOST_TREES).sort()
  }

  private settle(): void {
    if (this.isStopped) return
    const wanted = this.wanted()
    const current = this.next ?? this.trees
    if (wanted.join() === (current?.trees ?? []).join()) return
    this.next?.close()
    this.next = null
    if (wanted.length > 0) return this.openTrees(wanted)
    this.trees?.close()
    this.trees = null
  }

  /** The stream before goes on until the new one has begun: nothing falls between them. */
  private openTrees(wanted: string[]): void {
    const before = this.trees?.trees ?? []
    const isTakeover = this.trees === null && this.places.trees !== ""
    let isBegun = false
    const source: Source = new Source(wanted, isTakeover ? this.places.trees : "", {
      onBatch: (batch) => this.pass(batch, wanted),
      onState: (state) => {
        if (state !== "live" || isBegun) return
        isBegun = true
        if (this.trees !== source) this.trees?.close()
        this.trees = source
        if (this.next === source) this.next = null
        const added = wanted.filter((id) => !before.includes(id))
        if (added.length > 0 && !isTakeover)
          this.listening.onBatch({ ...emptyBatch(), begun: added }, null, this.where())
      },
      onRefused: () => void this.refused(source),
    })
    this.places.trees = ""
    this.next = source
  }

  /** One of the executions may be gone: the others are asked for again without it. */
  private async refused(source: Source): Promise<void> {
    source.close()
    if (this.next === source) this.next = null
    if (this.trees === source) this.trees = null
    await Promise.all(
      source.trees.map((id) =>
        api.get(`/v2/executions/${encodeURIComponent(id)}`).catch((error: unknown) => {
          if (error instanceof ApiError && error.status === 404) this.gone.add(id)
        }),
      ),
    )
    this.later(() => this.settle())
  }

  private pass(batch: LiveBatch, trees: string[] | null): void {
    const news = this.newest.of(batch)
    if (news) this.listening.onBatch(news, trees, this.where())
  }
}
