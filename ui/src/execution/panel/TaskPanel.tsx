/** Details of one task beside the graph, timeline or list: why, what came out, attempts, and what can be done. */
import { useQuery } from "@tanstack/react-query"
import { useState, type ReactNode } from "react"
import { Link } from "react-router"
import { isRecord, parsed } from "~/api/client"
import { Button, CopyButton, Duration, ErrorNote, Facts, JsonViewer, Loading, State, Time, useKeys } from "~/ui"
import { RerunDialog, SkipDialog } from "../actions/RerunDialog"
import { childrenQuery, taskQuery, tasksQuery } from "../data"
import { Items } from "../Items"
import { plain, readStateInfo } from "../model/stateInfo"
import { byName, contextOf, retriesOf } from "../model/tasks"
import type { TaskDetail } from "../types"
import { Attempts } from "./Attempts"
import "./panel.css"

interface Props {
  id: string
  onSelect: (taskId: string) => void
  onClose: () => void
}

export function TaskPanel({ id, onSelect, onClose }: Props) {
  const task = useQuery(taskQuery(id))
  useKeys({ Escape: onClose })
  return (
    <aside className="panel" aria-label="Task">
      <header className="panel-head">
        <h2 className="ellipsis grow">{task.data?.name ?? "Task"}</h2>
        {task.data ? <State state={task.data.state} /> : null}
        <Button kind="quiet" icon="cross" aria-label="Close the task's details" onClick={onClose} />
      </header>
      <div className="panel-body">
        {task.data ? (
          <Details task={task.data} onSelect={onSelect} />
        ) : task.error ? (
          <ErrorNote error={task.error} />
        ) : (
          <Loading />
        )}
      </div>
    </aside>
  )
}

function Details({ task, onSelect }: { task: TaskDetail; onSelect: (taskId: string) => void }) {
  const [open, setOpen] = useState<"rerun" | "skip" | null>(null)
  const result = parsed(task.result)
  const published = parsed(task.published)
  const global = task.published_global ? parsed(task.published_global) : null
  const context = contextOf(task)
  const retries = retriesOf(task)
  return (
    <>
      {task.state === "ERROR" ? (
        <div className="row">
          <Button small kind="primary" icon="rerun" action="task.rerun" onClick={() => setOpen("rerun")}>
            Rerun …
          </Button>
          <Button small icon="skip" action="task.skip" onClick={() => setOpen("skip")}>
            Skip …
          </Button>
        </div>
      ) : null}
      {task.state_info ? <Reason text={task.state_info} isError={task.state === "ERROR"} /> : null}
      <Runs task={task} onSelect={onSelect} />
      <Facts
        facts={[
          ["Started", <Time key="s" at={task.started_at} absolute fallback="not yet" />],
          task.started_at !== null && [
            "Took",
            <Duration key="d" from={task.started_at} to={task.finished_at} isRunning={task.finished_at === null} />,
          ],
          retries > 0 && ["Retries", String(retries)],
          context.with_items !== undefined && ["Items", <Items key="i" task={task} />],
          [
            "Id",
            <span key="id" className="row">
              <span className="mono ellipsis">{task.id}</span>
              <CopyButton text={task.id} label="Copy the task's id" />
            </span>,
          ],
        ]}
      />
      {task.type === "WORKFLOW" ? <Children task={task} /> : null}
      {isEmpty(result) ? null : (
        <Section title="Result">
          <JsonViewer value={result} depth={2} label="result" />
        </Section>
      )}
      {isEmpty(published) ? null : (
        <Section title="Published">
          <JsonViewer value={published} depth={2} label="published variables" />
        </Section>
      )}
      {isEmpty(global) ? null : (
        <Section title="Published for all branches">
          <JsonViewer value={global} depth={2} label="global variables" />
        </Section>
      )}
      {task.type === "WORKFLOW" ? null : <Attempts task={task} />}
      {open === "rerun" ? <RerunDialog task={task} onClose={() => setOpen(null)} /> : null}
      {open === "skip" ? <SkipDialog task={task} onClose={() => setOpen(null)} /> : null}
    </>
  )
}

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="panel-section">
      <h3>{title}</h3>
      {children}
    </section>
  )
}

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (isRecord(value) && Object.keys(value).length === 0) ||
  (Array.isArray(value) && value.length === 0)

function Reason({ text, isError }: { text: string; isError: boolean }) {
  const { headline, cause, details } = readStateInfo(text)
  const first = cause ?? plain(headline)
  return (
    <div className={`reason ${isError ? "error" : ""}`}>
      <p className="reason-first">{first}</p>
      {details || first !== text.trim() ? (
        <details>
          <summary>Details</summary>
          <pre tabIndex={0}>{text}</pre>
        </details>
      ) : null}
    </div>
  )
}

/** In a loop a task runs more than once. */
function Runs({ task, onSelect }: { task: TaskDetail; onSelect: (taskId: string) => void }) {
  const { data } = useQuery(tasksQuery(task.workflow_execution_id))
  const runs = (data && byName(data).get(task.name)) ?? []
  if (runs.length < 2) return null
  const at = runs.findIndex((run) => run.id === task.id)
  return (
    <div className="runs">
      <Button
        small
        icon="left"
        aria-label="Earlier iteration"
        disabled={at <= 0}
        onClick={() => onSelect(runs[at - 1]?.id ?? task.id)}
      />
      <label className="row">
        <span className="soft">Iteration</span>
        <select className="input small-input" value={task.id} onChange={(event) => onSelect(event.target.value)}>
          {runs.map((run, i) => (
            <option key={run.id} value={run.id}>
              {i + 1} of {runs.length}: {run.state.toLowerCase()}
            </option>
          ))}
        </select>
      </label>
      <Button
        small
        icon="right"
        aria-label="Later iteration"
        disabled={at >= runs.length - 1}
        onClick={() => onSelect(runs[at + 1]?.id ?? task.id)}
      />
    </div>
  )
}

const SHOWN = 50

function Children({ task }: { task: TaskDetail }) {
  const { data } = useQuery(childrenQuery(task.id))
  const [shown, setShown] = useState(SHOWN)
  if (!data?.length) return null
  return (
    <Section title={data.length === 1 ? "Sub-execution" : `${data.length} sub-executions`}>
      <ul className="children">
        {data.slice(0, shown).map((child) => (
          <li key={child.id} className="row">
            <State state={child.state} />
            <Link className="grow ellipsis" to={`/executions/${child.id}`}>
              {child.workflow_name}
            </Link>
            <span className="soft nowrap">
              <Time at={child.created_at} />
            </span>
          </li>
        ))}
      </ul>
      {data.length > shown ? (
        <button type="button" className="link-button" onClick={() => setShown(shown + 10 * SHOWN)}>
          Show more of {data.length - shown}
        </button>
      ) : null}
    </Section>
  )
}
