/** One execution: what it is, what it waits for or why it failed, what can be done, and its parts as tabs. */
import { useQuery } from "@tanstack/react-query"
import { Suspense, useCallback, useMemo } from "react"
import { Outlet, useOutletContext, useParams, useSearchParams } from "react-router"
import type { Execution } from "~/api/types"
import {
  CopyButton,
  Duration,
  ErrorNote,
  isMissing,
  isUnfinished,
  Loading,
  Missing,
  Page,
  State,
  Tabs,
  Time,
} from "~/ui"
import { ExecutionActions } from "./actions/ExecutionActions"
import { Ancestors } from "./Ancestors"
import { executionQuery, graphQuery, tasksQuery, useLiveExecution } from "./data"
import { FailureNote } from "./FailureNote"
import { TaskPanel } from "./panel/TaskPanel"
import { WaitsNote } from "./WaitsNote"
import "./execution.css"
import "./notes.css"

export interface ExecutionContext {
  execution: Execution
  /** Id of the task whose details are shown. */
  taskId: string | null
  /** Shows the details of a task, or none. */
  select: (taskId: string | null) => void
}

const LIST = { to: "/executions", label: "Executions" }

export const useExecution = () => useOutletContext<ExecutionContext>()

export function ExecutionPage() {
  const { id = "" } = useParams()
  return <One key={id} id={id} />
}

function One({ id }: { id: string }) {
  const execution = useQuery(executionQuery(id))
  const isGone = isMissing(execution.error)
  useLiveExecution(execution.data && !isGone ? id : null)
  const tasks = useQuery(tasksQuery(id))
  useQuery(graphQuery(id)) // on its way while the graph's code is loaded
  const [search, setSearch] = useSearchParams()
  const taskId = search.get("task")
  const select = useCallback(
    (to: string | null) =>
      setSearch(
        (old) => {
          const next = new URLSearchParams(old)
          if (to === null) next.delete("task")
          else next.set("task", to)
          return next
        },
        { replace: true, preventScrollReset: true },
      ),
    [setSearch],
  )
  const context = useMemo(
    () => (execution.data ? { execution: execution.data, taskId, select } : null),
    [execution.data, taskId, select],
  )
  if (!context || isGone) {
    return (
      <Page title="Execution" back={LIST}>
        {isGone ? (
          <Missing what="execution" list={LIST} />
        ) : execution.error ? (
          <ErrorNote error={execution.error} onRetry={() => void execution.refetch()} />
        ) : (
          <Loading />
        )}
      </Page>
    )
  }
  const shown = context.execution
  const count = tasks.data?.length
  const query = search.size ? `?${search}` : ""
  const at = `/executions/${id}`
  return (
    <Page
      wide
      title={shown.workflow_name}
      heading={<Heading execution={shown} />}
      actions={<ExecutionActions execution={shown} />}
    >
      <div className="execution-notes">
        <FailureNote execution={shown} onSelect={select} />
        <WaitsNote execution={shown} onSelect={select} />
      </div>
      <Tabs
        label="Parts of the execution"
        tabs={[
          { to: at + query, label: "Graph", icon: "graph", end: true },
          { to: `${at}/timeline${query}`, label: "Timeline", icon: "timeline" },
          { to: `${at}/tasks${query}`, label: "Tasks", icon: "list", ...(count === undefined ? {} : { count }) },
          { to: `${at}/data${query}`, label: "Data", icon: "data" },
        ]}
      />
      <div className="execution-body">
        <div className="execution-view">
          <Suspense fallback={<Loading />}>
            <Outlet context={context} />
          </Suspense>
        </div>
        {taskId ? <TaskPanel key={taskId} id={taskId} onSelect={select} onClose={() => select(null)} /> : null}
      </div>
    </Page>
  )
}

function Heading({ execution }: { execution: Execution }) {
  const { id, workflow_name, state, created_at, updated_at, description } = execution
  return (
    <span className="execution-heading">
      <Ancestors execution={execution} />
      <span className="row wrap">
        <span className="execution-name">{workflow_name}</span>
        <State state={state} />
      </span>
      <span className="execution-facts">
        <span className="mono">{id}</span>
        <CopyButton text={id} label="Copy the id" />
        <span>
          started <Time at={created_at} />
        </span>
        <span>
          {isUnfinished(state) ? "for" : "took"}{" "}
          <Duration from={created_at} to={updated_at} isRunning={isUnfinished(state)} />
        </span>
        {description ? <span className="ellipsis">{description}</span> : null}
      </span>
    </span>
  )
}
