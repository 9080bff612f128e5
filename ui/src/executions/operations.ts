/** What can be done with many executions: one request each, some at a time, and the command lines that do the same. */
import { api } from "~/api/client"
import type { TaskExecution } from "~/api/types"
import { curlLine, type Commands, type IconName } from "~/ui"
import type { Row } from "./rows"

export type Verb = "pause" | "resume" | "cancel" | "rerun" | "delete"

export interface Operation {
  verb: Verb
  action: string
  label: string
  icon: IconName
  /** States that it works on; others are left out of it. */
  states: readonly string[]
  done: string
  explanation: string
  run: (id: string) => Promise<unknown>
  curl: (id: string) => string
}

const path = (id: string) => `/v2/executions/${id}`
const changeTo = (state: string) => ({
  run: (id: string) => api.put(path(id), { state }),
  curl: (id: string) => curlLine("PUT", path(id), { state }),
})

export const OPERATIONS: readonly Operation[] = [
  {
    verb: "pause",
    action: "execution.pause",
    label: "Pause",
    icon: "pause",
    states: ["RUNNING"],
    done: "paused",
    explanation: "Actions under way go on to their end; nothing new begins until it is resumed.",
    ...changeTo("PAUSED"),
  },
  {
    verb: "resume",
    action: "execution.resume",
    label: "Resume",
    icon: "executions",
    states: ["PAUSED"],
    done: "resumed",
    explanation: "They go on where they were paused.",
    ...changeTo("RUNNING"),
  },
  {
    verb: "cancel",
    action: "execution.cancel",
    label: "Cancel",
    icon: "stop",
    states: ["RUNNING", "PAUSED", "IDLE"],
    done: "cancelled",
    explanation: "They end now, and cannot be resumed.",
    ...changeTo("CANCELLED"),
  },
  {
    verb: "rerun",
    action: "execution.rerun",
    label: "Rerun",
    icon: "rerun",
    states: ["ERROR"],
    done: "rerun",
    explanation: "Their failed tasks run again; what succeeded stays.",
    run: rerunFailed,
    curl: (id) =>
      curlLine("PUT", "/v2/tasks/TASK_ID", { state: "RUNNING", reset: true }) + `   # for each failed task of ${id}`,
  },
  {
    verb: "delete",
    action: "execution.delete",
    label: "Delete",
    icon: "trash",
    states: ["SUCCESS", "ERROR", "CANCELLED"],
    done: "deleted",
    explanation: "They are removed with everything below them. This cannot be taken back.",
    run: (id) => api.delete(path(id)),
    curl: (id) => curlLine("DELETE", path(id)),
  },
]

const IDS_SHOWN = 20

/** `filter`: options that choose the rows; null: they were chosen one by one. */
export function commandsOf(operation: Operation, rows: readonly Row[], filter: string | null): Commands {
  const ids = rows.slice(0, IDS_SHOWN).map((row) => row.id)
  const more = rows.length > ids.length ? `   # and ${rows.length - ids.length} more` : ""
  return {
    cli: `ostro execution ${operation.verb}${filter ?? ` ${ids.join(" ")}${more}`}`,
    curl: operation.curl(ids[0] ?? "EXECUTION_ID") + (rows.length > 1 ? "   # once for each" : ""),
  }
}

/** Runs the failed tasks again: those without a way on after an error, else all. Raises ApiError. */
export async function rerunFailed(executionId: string): Promise<void> {
  const fields = { state: "ERROR", fields: "id,name,state" }
  const [{ tasks }, handled] = await Promise.all([
    api.get<{ tasks: TaskExecution[] }>(`${path(executionId)}/tasks`, fields),
    handlesErrors(executionId),
  ])
  const causes = tasks.filter((task) => !handled.has(task.name))
  for (const task of causes.length > 0 ? causes : tasks) {
    await api.put(`/v2/tasks/${task.id}`, { state: "RUNNING", reset: true })
  }
}

async function handlesErrors(executionId: string): Promise<Set<string>> {
  const graph = await api.get<{ edges: { from: string; clause: string }[] }>(`${path(executionId)}/graph`)
  const clauses = new Set(["on-error", "on-complete"])
  return new Set(graph.edges.filter((edge) => clauses.has(edge.clause)).map((edge) => edge.from))
}

/** Runs `one` for each, at most `width` at a time. Stops beginning new ones when `signal` is aborted. */
export async function forEach<T>(
  items: readonly T[],
  width: number,
  one: (item: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < items.length && !signal.aborted) await one(items[next++] as T)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
}
