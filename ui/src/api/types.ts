/** What the server answers, as far as the page reads it (docs/reference/api.md). JSON texts are read by `parsed`. */

export interface Session {
  auth: "none" | "token" | "oidc" | "keystone"
  is_authenticated: boolean
  by: "none" | "header" | "cookie" | null
  project_id: string | null
  user_id: string | null
  is_admin: boolean
  roles: string[]
  csrf_token?: string | null
  expires_at?: string | null
  version: string
  allowed: string[]
  login: { token: boolean; oidc: { authorize_url?: string } | null }
}

export interface Execution {
  id: string
  workflow_id: string
  workflow_name: string
  workflow_namespace: string
  description: string
  tags: string[]
  params: string
  task_execution_id: string | null
  root_execution_id: string | null
  state: string
  state_info: string | null
  input: string
  output?: string
  created_at: string
  updated_at: string
  project_id: string
}

export interface TaskExecution {
  id: string
  name: string
  type: string
  workflow_name: string
  workflow_id: string
  workflow_execution_id: string
  tags: string[]
  state: string
  state_info: string | null
  runtime_context: string
  published: string
  published_global?: string
  processed: boolean
  created_at: string
  updated_at: string
  started_at: string | null
  finished_at: string | null
}

export interface ActionExecution {
  id: string
  name: string
  workflow_name: string
  task_name: string
  task_execution_id: string | null
  state: string
  state_info: string | null
  tags: string[]
  description: string
  accepted: boolean
  input: string
  output?: string
  created_at: string
  updated_at: string
}

export interface Workflow {
  id: string
  name: string
  namespace: string
  input: string
  interface: string | { input: (string | Record<string, unknown>)[]; output: string[] }
  definition: string
  checksum: string
  tags: string[]
  scope: string
  project_id: string
  created_at: string
  updated_at: string | null
}

export interface CronTrigger {
  id: string
  name: string
  workflow_name: string
  workflow_id: string
  workflow_input: string
  workflow_params: string
  pattern: string | null
  remaining_executions: number | null
  first_execution_time: string | null
  next_execution_time: string | null
  scope: string
  created_at: string
  updated_at: string | null
}

export interface EventTrigger {
  id: string
  name: string
  workflow_id: string
  workflow_input: string
  workflow_params: string
  exchange: string
  topic: string
  event: string
  scope: string
  created_at: string
  updated_at: string | null
}

export interface Environment {
  name: string
  description: string | null
  variables: string
  scope: string
  created_at: string
  updated_at: string | null
}

export interface Overview {
  now: string
  counts: Record<string, number>
  capped: string[]
  series: { at: string; started: number; succeeded: number; failed: number; p50_ms: number | null }[]
  series_since: string
  attention: Attention[]
  due: { id: string; name: string; at: string; workflow: string; workflow_id: string }[]
}

export interface Attention {
  kind: "error" | "paused" | "async_action" | "trigger"
  id: string
  name: string
  at: string
  message: string
  execution_id?: string | null
  /** Of an action that waits. */
  workflow_name: string
  task_name: string
}
