/** Two streams may tell of the same thing, one of them later: only what is news goes on. */
import type { LiveBatch } from "./events"

const MOST = 5000

interface Told {
  id: string
  seq: number
  at: string
}

export class Newest {
  private known = new Map<string, Told>()

  /** The batch without what was told before, or was overtaken by what was told; null if nothing is left. */
  of(batch: LiveBatch): LiveBatch | null {
    const left = {
      ...batch,
      executions: batch.executions.filter((one) => this.isNews("e", one)),
      tasks: batch.tasks.filter((one) => this.isNews("t", one)),
      actions: batch.actions.filter((one) => this.isNews("a", one)),
      deleted: batch.deleted.filter((one) => this.isNews("d", one)),
    }
    const count = left.executions.length + left.tasks.length + left.actions.length + left.deleted.length
    return count > 0 || left.isReload ? left : null
  }

  private isNews(kind: string, { id, seq, at }: Told): boolean {
    const key = kind + id
    const before = this.known.get(key)
    // Numbers count within one engine only, times across them.
    if (before && (at < before.at || (at === before.at && seq <= before.seq))) return false
    this.known.delete(key)
    this.known.set(key, { id, seq, at })
    if (this.known.size > MOST) this.known.delete(this.known.keys().next().value!)
    return true
  }
}
