/** Tasks of one execution, by name and in the order in which they began; what their `runtime_context` tells. */
import type { Task } from "../types"

export interface Trigger {
  task_id: string
  event: string
}

export interface Context {
  triggered_by?: Trigger[]
  with_items?: { count?: number; capacity?: number }
  retry_task_policy?: { retry_no?: number }
}

const contexts = new WeakMap<Task, Context>()

/** What the task's `runtime_context` says, read once per task. */
export function contextOf(task: Task): Context {
  let context = contexts.get(task)
  if (!context) {
    context = parse(task.runtime_context)
    contexts.set(task, context)
  }
  return context
}

function parse(text: string | undefined): Context {
  if (!text || text === "{}") return {}
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === "object" ? value : {}
  } catch {
    return {}
  }
}

export function byName(tasks: readonly Task[]): Map<string, Task[]> {
  const found = new Map<string, Task[]>()
  for (const task of tasks) {
    const runs = found.get(task.name)
    if (runs) runs.push(task)
    else found.set(task.name, [task])
  }
  for (const runs of found.values()) {
    if (runs.length > 1) runs.sort((a, b) => (a.id < b.id ? -1 : 1)) // ids are in order of time
  }
  return found
}

export const retriesOf = (task: Task): number => contextOf(task).retry_task_policy?.retry_no ?? 0

const ENDS = new Set(["SUCCESS", "ERROR", "CANCELLED", "SKIPPED"])
export const isFinished = (state: string): boolean => ENDS.has(state)

/** How much a state calls for attention: the first of a sorted list is what somebody should look at. */
const RANK: Record<string, number> = {
  ERROR: 0,
  RUNNING: 1,
  PAUSED: 2,
  DELAYED: 3,
  WAITING: 4,
  IDLE: 5,
  CANCELLED: 6,
  SKIPPED: 7,
  SUCCESS: 8,
}
export const rankOf = (state: string): number => RANK[state] ?? 9
