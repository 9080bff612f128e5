/** Why an execution failed, was cancelled or paused: one sentence, the tasks to blame, details folded. */
import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { Link } from "react-router"
import { api } from "~/api/client"
import type { Execution } from "~/api/types"
import { Button, CopyButton, Icon, toastError } from "~/ui"
import { tasksQuery, taskQuery } from "./data"
import { plain, readStateInfo } from "./model/stateInfo"
import { RerunDialog } from "./actions/RerunDialog"
import type { TaskDetail } from "./types"

const TONES: Record<string, string> = { ERROR: "error", PAUSED: "paused", CANCELLED: "idle" }

export function FailureNote({ execution, onSelect }: { execution: Execution; onSelect: (taskId: string) => void }) {
  const { state, state_info } = execution
  const [rerun, setRerun] = useState<TaskDetail | null>(null)
  const client = useQueryClient()
  const { data: own } = useQuery({ ...tasksQuery(execution.id), enabled: false })
  if (!state_info || !(state in TONES)) return null
  const { headline, tasks: told, cause, details } = readStateInfo(state_info)
  const tasks = told.flatMap(({ name, id }) => {
    const known = id ?? own?.findLast((task) => task.name === name && task.state === "ERROR")?.id
    return known ? [{ name, id: known }] : []
  })
  const culprit = tasks.at(-1)
  const openRerun = (id: string) => {
    client.fetchQuery({ ...taskQuery(id), staleTime: 0 }).then(setRerun, toastError)
  }
  return (
    <section className={`failure ${TONES[state]}`} aria-label="Why it stopped" data-testid="failure">
      <Icon name={state === "ERROR" ? "error" : state === "PAUSED" ? "pause" : "stop"} size={18} />
      <div className="grow">
        <p className="failure-headline">{cause ?? plain(headline)}</p>
        {culprit ? (
          <p className="failure-tasks">
            <span className="soft">in</span>{" "}
            {tasks.map((task, i) => (
              <span key={task.id}>
                {i ? <Icon name="right" size={11} /> : null}
                <TaskLink id={task.id} name={task.name} onSelect={onSelect} />
              </span>
            ))}
          </p>
        ) : null}
        {details ? (
          <details className="failure-details">
            <summary>Details</summary>
            <pre tabIndex={0}>{state_info}</pre>
          </details>
        ) : null}
      </div>
      <div className="row">
        <CopyButton text={state_info} label="Copy the whole message" />
        {state === "ERROR" && culprit ? (
          <Button small icon="rerun" action="task.rerun" onClick={() => openRerun(culprit.id)}>
            Rerun {culprit.name}
          </Button>
        ) : null}
      </div>
      {rerun ? <RerunDialog task={rerun} onClose={() => setRerun(null)} /> : null}
    </section>
  )
}

/** A task of this execution is shown beside; one of a sub-execution is opened there. */
function TaskLink({ id, name, onSelect }: { id: string; name: string; onSelect: (taskId: string) => void }) {
  const [to, setTo] = useState<string | null>(null)
  if (to) return <Link to={to}>{name}</Link>
  return (
    <button
      type="button"
      className="link-button strong"
      onClick={() => onSelect(id)}
      onContextMenu={() => {
        void api
          .get<TaskDetail>(`/v2/tasks/${id}`, { fields: "id,workflow_execution_id" })
          .then((task) => setTo(`/executions/${task.workflow_execution_id}?task=${id}`), toastError)
      }}
    >
      {name}
    </button>
  )
}
