/** What the server answers about one execution, as far as these views read it (docs/reference/api.md). */

export type Clause = "on-success" | "on-error" | "on-complete" | "on-skip" | "requires"
export type NodeKind = "task" | "join" | "with-items" | "subworkflow" | "command"

/** A task as lists have it. */
export interface Task {
  id: string
  name: string
  type: string
  state: string
  state_info: string | null
  runtime_context: string
  created_at: string
  updated_at: string | null
  started_at: string | null
  finished_at: string | null
}

export interface TaskDetail extends Task {
  workflow_name: string
  workflow_execution_id: string
  result: string
  published: string
  published_global?: string
  tags: string[]
}

export interface GraphNode {
  name: string
  kind: NodeKind
  action: string | null
  workflow: string | null
  join: string | number | null
  with_items: string | null
  concurrency?: string | number | null
  policies: Record<string, unknown> | null
  inputs_text: string | null
  description: string | null
  publishes?: string[]
  is_start?: boolean
  line: number
}

export interface GraphEdge {
  from: string
  to: string
  clause: Clause
  condition: string | null
  is_default?: boolean
}

export interface Problem {
  line: number
  column: number
  end_column?: number | null
  severity: "error" | "warning"
  code: string
  message: string
  hint?: string | null
}

export interface Graph {
  name: string
  type: "direct" | "reverse" | "automation" | null
  description: string | null
  revision_id?: string | null
  definition?: string | null
  workflows?: string[]
  input: { name: string; is_required: boolean; default: unknown }[]
  nodes: GraphNode[]
  edges: GraphEdge[]
  errors: Problem[]
}

export interface Wait {
  task_id: string | null
  task: string | null
  kind: "action" | "async-action" | "executor" | "timer" | "pause" | "join" | "child" | "engine" | "limit" | "commit"
  what: string | null
  since: string | null
  until: string | null
  action_id: string | null
  execution_id: string | null
  item: number | null
  text: string
}

export interface Waits {
  waits: Wait[]
  more: number
}
