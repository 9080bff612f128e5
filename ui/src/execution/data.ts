/** What the views of one execution read: queries, and how the live stream changes what they have read. */
import { queryOptions, useQueryClient, type QueryClient } from "@tanstack/react-query"
import { useEffect, useMemo } from "react"
import { api } from "~/api/client"
import type { ActionExecution, Execution } from "~/api/types"
import { subscribeLive, throttled, watchTree, type LiveBatch, type TaskEvent } from "~/live"
import { patchItems } from "./itemCounts"
import { patchTasks } from "./model/patch"
import type { TimelineTask } from "./model/timeline"
import { isFinished } from "./model/tasks"
import type { Graph, Task, TaskDetail, Waits } from "./types"

const TASK_FIELDS = "id,name,type,state,state_info,runtime_context,created_at,updated_at,started_at,finished_at"
const PAGE = 20_000

export const executionKey = (id: string) => ["execution", id] as const
const tasksKey = (id: string) => ["execution-tasks", id] as const

export const executionQuery = (id: string) =>
  queryOptions({
    queryKey: executionKey(id),
    queryFn: ({ signal }) => api.get<Execution>(`/v2/executions/${id}`, {}, signal),
  })

export const graphQuery = (id: string) =>
  queryOptions({
    queryKey: ["execution-graph", id],
    queryFn: ({ signal }) => api.get<Graph>(`/v2/executions/${id}/graph`, {}, signal),
    staleTime: Infinity, // of the revision that it runs: it never changes
  })

export const tasksQuery = (id: string) =>
  queryOptions({
    queryKey: tasksKey(id),
    queryFn: ({ signal }) => allTasks(id, {}, signal),
    structuralSharing: false, // comparing 5,000 rows costs more than drawing those in sight
  })

export const waitsQuery = (id: string) =>
  queryOptions({
    queryKey: ["execution-waits", id],
    queryFn: ({ signal }) => api.get<Waits>(`/v2/executions/${id}/waits`, {}, signal),
  })

export interface TimelineAnswer {
  tasks: TimelineTask[]
  pauses: { state: string; from: string; to: string | null }[]
  more: number
}

export const timelineQuery = (id: string) =>
  queryOptions({
    queryKey: ["execution-timeline", id],
    queryFn: ({ signal }) => api.get<TimelineAnswer>(`/v2/executions/${id}/timeline`, {}, signal),
    structuralSharing: false,
  })

export const taskQuery = (id: string) =>
  queryOptions({
    queryKey: ["task", id],
    queryFn: ({ signal }) => api.get<TaskDetail>(`/v2/tasks/${id}`, {}, signal),
  })

export const actionsQuery = (taskId: string) =>
  queryOptions({
    queryKey: ["task-actions", taskId],
    queryFn: async ({ signal }) =>
      (
        await api.get<{ action_executions: ActionExecution[] }>(
          `/v2/tasks/${taskId}/action_executions`,
          { limit: 200, include_output: true },
          signal,
        )
      ).action_executions,
  })

export type Child = Pick<Execution, "id" | "state" | "workflow_name" | "created_at" | "updated_at">

export const childrenQuery = (taskId: string) =>
  queryOptions({
    queryKey: ["task-children", taskId],
    queryFn: async ({ signal }) =>
      (
        await api.get<{ executions: Child[] }>(
          `/v2/tasks/${taskId}/workflow_executions`,
          { limit: 1000, fields: "id,state,workflow_name,created_at,updated_at" },
          signal,
        )
      ).executions,
  })

async function allTasks(id: string, query: Record<string, string>, signal?: AbortSignal): Promise<Task[]> {
  const tasks: Task[] = []
  for (;;) {
    const marker = tasks.at(-1)?.id
    const page = await api.get<{ tasks: Task[]; next?: string }>(
      `/v2/executions/${id}/tasks`,
      { fields: TASK_FIELDS, limit: PAGE, ...query, ...(marker ? { marker } : {}) },
      signal,
    )
    tasks.push(...page.tasks)
    if (!page.next || page.tasks.length === 0) return tasks
  }
}

/** Reads again what has changed in an execution since `since`, and puts it among what is there. */
async function catchUp(client: QueryClient, id: string, since: string): Promise<void> {
  const changed = await allTasks(id, { updated_at: `gte:${since}` })
  client.setQueryData<Task[]>(tasksKey(id), (tasks) => {
    if (!tasks) return tasks
    const fresh = new Map(changed.map((task) => [task.id, task]))
    const kept = tasks.map((task) => {
      const found = fresh.get(task.id)
      fresh.delete(task.id)
      return found ?? task
    })
    return [...kept, ...fresh.values()]
  })
}

/** `YYYY-MM-DD HH:MM:SS` of UTC, some seconds before the newest change among these tasks. */
function sinceOf(tasks: readonly Task[]): string {
  let newest = ""
  for (const { updated_at, created_at } of tasks) {
    const at = updated_at ?? created_at
    if (at > newest) newest = at
  }
  const ms = newest ? Date.parse(`${newest.slice(0, 19).replace(" ", "T")}Z`) - 2000 : 0
  return new Date(Number.isNaN(ms) ? 0 : ms).toISOString().slice(0, 19).replace("T", " ")
}

/** Keeps everything about the tree of this execution as the stream tells it, while the view is there. null: of none,
 * since nobody knows yet that there is such an execution: a stream of one that is not there is refused. */
export function useLiveExecution(id: string | null): void {
  const client = useQueryClient()
  const updates = useMemo(() => (id === null ? null : new Updates(client, id)), [client, id])
  useEffect(() => (id === null ? undefined : watchTree(id)), [id])
  useEffect(() => (updates === null ? undefined : subscribeLive((batch) => updates.take(batch))), [updates])
}

/** One for each view of an execution: how batches of the stream become changes of the cache. */
class Updates {
  private readonly behind = new Map<string, () => void>()
  private readonly waits: () => void
  private readonly timeline: () => void
  private readonly details: () => void

  constructor(
    private readonly client: QueryClient,
    private readonly id: string,
  ) {
    this.waits = this.reader("execution-waits", 400)
    this.timeline = this.reader("execution-timeline", 1000)
    const details = ["task", "task-actions", "task-children"].map((key) => this.reader(key, 700))
    this.details = () => details.forEach((read) => read())
  }

  /** Reads again what is shown of `key`. A reading that is under way is let finish: changes may come faster than answers. */
  private reader(key: string, ms: number): () => void {
    const run = throttled(() => {
      if (this.client.isFetching({ queryKey: [key] })) setTimeout(run, ms / 2)
      else void this.client.invalidateQueries({ queryKey: [key] })
    }, ms)
    return run
  }

  take(batch: LiveBatch): void {
    if (batch.deleted.some((one) => one.id === this.id)) return this.forget()
    if (batch.isReload || batch.begun.includes(this.id)) return this.refresh()
    for (const event of batch.executions) {
      const key = executionKey(event.id)
      const known = this.client.getQueryData<Execution>(key)
      if (!known) continue
      this.client.setQueryData<Execution>(key, {
        ...known,
        state: event.state,
        state_info: event.state_info,
        updated_at: event.updated_at,
      })
      if (isFinished(event.state)) void this.client.invalidateQueries({ queryKey: key })
    }
    for (const [execution, events] of byExecution(batch.tasks)) {
      const key = tasksKey(execution)
      if (!this.client.getQueryData(key)) continue
      this.client.setQueryData<Task[]>(key, (tasks) => tasks && patchTasks(tasks, events))
      this.catchUpWith(execution)
    }
    patchItems(this.client, batch.actions, batch.executions)
    if (batch.executions.length || batch.tasks.length || batch.actions.length) {
      this.waits()
      this.timeline()
      this.details()
    }
  }

  /** It is deleted: the next answer says so, and nothing else is asked for. */
  private forget(): void {
    void this.client.invalidateQueries({ queryKey: executionKey(this.id) })
  }

  refresh(): void {
    void this.client.invalidateQueries({ queryKey: executionKey(this.id) })
    this.catchUpWith(this.id)
    this.waits()
    this.timeline()
    this.details()
  }

  /** The stream does not tell what led to a task; the list does. */
  private catchUpWith(execution: string): void {
    const run: () => void =
      this.behind.get(execution) ??
      throttled(() => {
        setTimeout(() => this.readChanges(execution, run), 250)
      }, 900)
    this.behind.set(execution, run)
    run()
  }

  private readChanges(execution: string, again: () => void): void {
    const state = this.client.getQueryState<Task[]>(tasksKey(execution))
    // What is being read now may be older than what was told: look again when it is here.
    if (state?.fetchStatus === "fetching") setTimeout(again, 250)
    else if (state?.data) void catchUp(this.client, execution, sinceOf(state.data)).catch(() => undefined)
  }
}

function byExecution(events: readonly TaskEvent[]): Map<string, TaskEvent[]> {
  const found = new Map<string, TaskEvent[]>()
  for (const event of events) {
    const known = found.get(event.execution_id)
    if (known) known.push(event)
    else found.set(event.execution_id, [event])
  }
  return found
}
