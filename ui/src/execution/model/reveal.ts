/** The way from an execution down to a task somewhere below it. */
import type { QueryClient } from "@tanstack/react-query"
import { executionQuery, taskQuery } from "../data"

export interface RevealStep {
  executionId: string
  name: string
  childId: string
}

const DEEPEST = 20

/** From the top; empty if the task is not below `rootId`, or of it. */
export async function pathTo(client: QueryClient, taskId: string, rootId: string): Promise<RevealStep[]> {
  const steps: RevealStep[] = []
  let childId = (await client.fetchQuery(taskQuery(taskId))).workflow_execution_id
  while (childId !== rootId && steps.length < DEEPEST) {
    const parent = (await client.fetchQuery(executionQuery(childId))).task_execution_id
    if (parent === null) return []
    const { name, workflow_execution_id } = await client.fetchQuery(taskQuery(parent))
    steps.unshift({ executionId: workflow_execution_id, name, childId })
    childId = workflow_execution_id
  }
  return steps
}
