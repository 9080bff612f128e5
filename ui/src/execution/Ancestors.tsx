/** The way from the root execution down to this one. */
import { useQuery } from "@tanstack/react-query"
import { Fragment } from "react"
import { Link } from "react-router"
import { api } from "~/api/client"
import type { Execution, TaskExecution } from "~/api/types"
import { Icon } from "~/ui"

interface Step {
  executionId: string
  workflow: string
  taskId: string
  task: string
}

const DEEPEST = 20

async function ancestorsOf(taskId: string): Promise<Step[]> {
  const steps: Step[] = []
  for (let next: string | null = taskId; next && steps.length < DEEPEST;) {
    const task: TaskExecution = await api.get<TaskExecution>(`/v2/tasks/${next}`, {
      fields: "id,name,workflow_name,workflow_execution_id",
    })
    const parent: Execution = await api.get<Execution>(`/v2/executions/${task.workflow_execution_id}`, {
      fields: "id,workflow_name,task_execution_id",
    })
    steps.unshift({ executionId: parent.id, workflow: parent.workflow_name, taskId: next, task: task.name })
    next = parent.task_execution_id
  }
  return steps
}

export function Ancestors({ execution }: { execution: Execution }) {
  const parent = execution.task_execution_id
  const { data } = useQuery({
    queryKey: ["ancestors", parent],
    queryFn: () => ancestorsOf(parent ?? ""),
    enabled: parent !== null,
    staleTime: Infinity,
  })
  return (
    <nav className="ancestors" aria-label="Where this execution belongs">
      <Link to="/executions">Executions</Link>
      {(data ?? []).map((step) => (
        <Fragment key={step.taskId}>
          <Icon name="right" size={11} />
          <Link to={`/executions/${step.executionId}?task=${step.taskId}`}>
            {step.workflow} <span className="faint">({step.task})</span>
          </Link>
        </Fragment>
      ))}
    </nav>
  )
}
