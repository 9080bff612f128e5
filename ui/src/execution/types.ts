/** What the server answers about an execution, as far as this page reads it. Times are `YYYY-MM-DD HH:MM:SS`, UTC. */

export type Clause = "on-success" | "on-error" | "on-complete" | "on-skip" | "requires";
export type NodeKind = "task" | "join" | "with-items" | "subworkflow" | "command";

export interface Execution {
  id: string;
  workflow_id: string;
  workflow_name: string;
  workflow_namespace: string;
  description: string;
  tags: string[] | null;
  params: string;
  input: string;
  output: string;
  state: string;
  state_info: string | null;
  task_execution_id: string | null;
  root_execution_id: string | null;
  project_id: string;
  published_global?: string;
  created_at: string;
  updated_at: string | null;
}

/** A task as lists have it. */
export interface Task {
  id: string;
  name: string;
  type: string;
  state: string;
  state_info: string | null;
  runtime_context: string;
  workflow_name?: string;
  workflow_execution_id?: string;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface TaskDetail extends Task {
  workflow_name: string;
  workflow_execution_id: string;
  result: string;
  published: string;
  published_global?: string;
  updated_at: string | null;
  tags: string[] | null;
}

export interface ActionExecution {
  id: string;
  name: string;
  task_name: string;
  task_execution_id: string | null;
  state: string;
  state_info: string | null;
  accepted: boolean | null;
  input: string;
  output?: string | null;
  created_at: string;
  updated_at: string | null;
}
