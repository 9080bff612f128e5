/** What an unfinished execution waits for, since when and until when; what somebody can do about it. */
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { Link } from "react-router"
import type { Execution } from "~/api/types"
import { Button, Icon, isUnfinished, Time, type IconName } from "~/ui"
import { CompleteDialog } from "./actions/CompleteDialog"
import { tasksQuery, waitsQuery } from "./data"
import type { Wait } from "./types"

const ICONS: Record<Wait["kind"], IconName> = {
  "async-action": "person",
  pause: "pause",
  timer: "delay",
  limit: "wait",
  executor: "service",
  action: "action",
  child: "workflow",
  join: "wait",
  engine: "executions",
  commit: "executions",
}
/** What somebody must do comes first, what goes on by itself last. */
const ORDER = Object.keys(ICONS)
const FIRST = 3

export function WaitsNote({ execution, onSelect }: { execution: Execution; onSelect: (taskId: string) => void }) {
  const isOpen = isUnfinished(execution.state)
  // Of thousands of tasks the waits take the server a while: what is drawn comes first.
  const isDrawn = useQuery({ ...tasksQuery(execution.id), enabled: false }).data !== undefined
  const { data } = useQuery({ ...waitsQuery(execution.id), enabled: isOpen && isDrawn })
  const [isWhole, setWhole] = useState(false)
  if (!isOpen || !data || data.waits.length === 0) return null
  const waits = [...data.waits].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))
  const shown = isWhole ? waits : waits.slice(0, FIRST)
  const left = waits.length + data.more - shown.length
  return (
    <section className="waits" aria-label="What it is waiting for" data-testid="waits">
      <h2 className="waits-title">Waiting for</h2>
      <ul className="waits-list">
        {shown.map((wait, i) => (
          <WaitLine key={`${wait.task_id}${wait.action_id}${wait.kind}${i}`} wait={wait} onSelect={onSelect} />
        ))}
        {left > 0 ? (
          <li>
            <button type="button" className="link-button" onClick={() => setWhole(true)} disabled={isWhole}>
              {isWhole ? `${left} more are not listed` : `and ${left} more`}
            </button>
          </li>
        ) : null}
      </ul>
    </section>
  )
}

function WaitLine({ wait, onSelect }: { wait: Wait; onSelect: (taskId: string) => void }) {
  const [isCompleting, setCompleting] = useState(false)
  const { task_id, task, kind, text, since, until, action_id, execution_id } = wait
  return (
    <li className="wait" data-wait={kind}>
      <Icon name={ICONS[kind] ?? "wait"} size={15} />
      <span className="wait-what">
        {task_id && task ? (
          <button type="button" className="link-button strong" onClick={() => onSelect(task_id)}>
            {task}
          </button>
        ) : null}{" "}
        {text}
      </span>
      <span className="wait-when">
        since <Time at={since} />
        {until ? (
          <>
            , until <Time at={until} absolute /> (<Time at={until} />)
          </>
        ) : null}
      </span>
      {kind === "async-action" && action_id ? (
        <Button
          small
          kind="primary"
          icon="check"
          action="action-execution.complete"
          onClick={() => setCompleting(true)}
        >
          Complete …
        </Button>
      ) : null}
      {kind === "child" && execution_id ? <Link to={`/executions/${execution_id}`}>Open</Link> : null}
      {isCompleting && action_id ? (
        <CompleteDialog id={action_id} name={task ?? "action"} onClose={() => setCompleting(false)} />
      ) : null}
    </li>
  )
}
