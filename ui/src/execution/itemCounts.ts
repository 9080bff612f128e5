/** Counts of the items of a with-items task, followed by the stream without reading them again. */
import { queryOptions, type QueryClient } from "@tanstack/react-query"
import { api } from "~/api/client"
import type { ActionEvent, ExecutionEvent } from "~/live"

export interface ItemCounts {
  done: number
  running: number
  failed: number
  /** States by id of the action or sub-execution, to follow the stream. */
  states: ReadonlyMap<string, { state: string; counts: boolean }>
}

interface Row {
  id: string
  state: string
  accepted?: boolean | null
}

export const itemsKey = (taskId: string) => ["task-items", taskId] as const

export const itemsQuery = (taskId: string, type: string) =>
  queryOptions({
    queryKey: itemsKey(taskId),
    queryFn: async ({ signal }): Promise<ItemCounts> => {
      const isWorkflow = type === "WORKFLOW"
      const [path, name] = isWorkflow
        ? ["workflow_executions", "executions"]
        : ["action_executions", "action_executions"]
      const fields = isWorkflow ? "id,state" : "id,state,accepted"
      const page = await api.get<Record<string, Row[]>>(
        `/v2/tasks/${taskId}/${path}`,
        { fields, limit: 20_000 },
        signal,
      )
      return counted(
        new Map((page[name] ?? []).map((row) => [row.id, { state: row.state, counts: row.accepted !== false }])),
      )
    },
    structuralSharing: false,
  })

/** A failure that is not accepted was retried: it does not count. */
export function counted(states: ItemCounts["states"]): ItemCounts {
  let [done, running, failed] = [0, 0, 0]
  for (const { state, counts } of states.values()) {
    if (state === "SUCCESS") done += counts ? 1 : 0
    else if (state === "ERROR" || state === "CANCELLED") failed += counts ? 1 : 0
    else running += 1
  }
  return { done, running, failed, states }
}

/** Brings the counts that are shown up to date with what the stream told. */
export function patchItems(
  client: QueryClient,
  actions: readonly ActionEvent[],
  executions: readonly ExecutionEvent[],
): void {
  const told = new Map<string, Row[]>()
  const add = (taskId: string | null, row: Row): void => {
    if (taskId === null) return
    const rows = told.get(taskId)
    if (rows) rows.push(row)
    else told.set(taskId, [row])
  }
  for (const { id, state, accepted, task_execution_id } of actions) add(task_execution_id, { id, state, accepted })
  for (const { id, state, task_execution_id } of executions) add(task_execution_id, { id, state })
  for (const [taskId, rows] of told) {
    client.setQueryData<ItemCounts>(itemsKey(taskId), (known) => {
      if (!known) return known
      const states = new Map(known.states)
      for (const { id, state, accepted } of rows) states.set(id, { state, counts: accepted !== false })
      return counted(states)
    })
  }
}
