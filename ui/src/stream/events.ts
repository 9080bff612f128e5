/** What the stream tells (docs/reference/extensions.md, "Live stream"). */

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
  tags: string[]
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
  /** Executions of whose trees the stream tells from now on: what these did before was told to nobody. */
  begun: string[]
}

export const emptyBatch = (): LiveBatch => ({
  executions: [],
  tasks: [],
  actions: [],
  deleted: [],
  isReload: false,
  begun: [],
})

export type LiveState = "off" | "connecting" | "live" | "broken"
