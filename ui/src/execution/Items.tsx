/** How far a with-items task is: a bar and numbers of what is done, runs and failed. */
import { useQuery } from "@tanstack/react-query"
import { itemsQuery } from "./itemCounts"
import { contextOf, isFinished } from "./model/tasks"
import type { Task } from "./types"

export function Items({ task, compact = false }: { task: Task; compact?: boolean }) {
  const total = contextOf(task).with_items?.count ?? null
  const isAllDone = task.state === "SUCCESS"
  const { data } = useQuery({ ...itemsQuery(task.id, task.type), enabled: !isAllDone && total !== 0 })
  const counts = isAllDone ? { done: total ?? 0, running: 0, failed: 0 } : (data ?? { done: 0, running: 0, failed: 0 })
  const all = Math.max(total ?? 0, counts.done + counts.running + counts.failed)
  const share = (n: number): string => `${all ? (n / all) * 100 : 0}%`
  const parts = [`${counts.done}/${all} done`]
  if (counts.running) parts.push(`${counts.running} running`)
  if (counts.failed) parts.push(`${counts.failed} failed`)
  return (
    <div
      className={`items ${compact ? "compact" : ""}`}
      data-items={`${counts.done}/${counts.running}/${counts.failed}/${all}`}
    >
      <span className="items-bar" aria-hidden="true">
        <span className="items-done" style={{ width: share(counts.done) }} />
        <span className="items-failed" style={{ width: share(counts.failed) }} />
        <span className="items-running" style={{ width: share(counts.running) }} />
      </span>
      <span className="items-text">{isFinished(task.state) && all === 0 ? "no items" : parts.join(" · ")}</span>
    </div>
  )
}
