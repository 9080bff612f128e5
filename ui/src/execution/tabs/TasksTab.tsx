/** The tasks of an execution as a list: filtered by text and state, walked by keys. */
import { useQuery } from "@tanstack/react-query"
import { useMemo, useState } from "react"
import { useSearchParams } from "react-router"
import {
  DataTable,
  Duration,
  Empty,
  ErrorNote,
  Icon,
  Loading,
  State,
  stateLook,
  Time,
  type Column,
  type Sorting,
} from "~/ui"
import { tasksQuery } from "../data"
import { useExecution } from "../ExecutionPage"
import { SearchField } from "../SearchField"
import { plain, readStateInfo } from "../model/stateInfo"
import { contextOf, rankOf, retriesOf } from "../model/tasks"
import type { Task } from "../types"
import "./tasks.css"

const COLUMNS: Column<Task>[] = [
  { key: "state", title: "State", width: "8rem", sort: "state", cell: (task) => <State state={task.state} /> },
  {
    key: "name",
    title: "Task",
    width: "minmax(9rem, 1.4fr)",
    sort: "name",
    cell: (task) => <span className="strong ellipsis">{task.name}</span>,
  },
  { key: "marks", title: "", width: "7rem", isExtra: true, cell: (task) => <Marks task={task} /> },
  {
    key: "started",
    title: "Started",
    width: "7rem",
    sort: "started_at",
    cell: (task) => <Time at={task.started_at} absolute fallback="not yet" />,
  },
  {
    key: "took",
    title: "Took",
    width: "7rem",
    align: "end",
    isExtra: true,
    cell: (task) =>
      task.started_at === null ? (
        ""
      ) : (
        <Duration from={task.started_at} to={task.finished_at} isRunning={task.finished_at === null} />
      ),
  },
  {
    key: "info",
    title: "Message",
    width: "minmax(10rem, 2fr)",
    isExtra: true,
    cell: (task) => <span className="soft ellipsis">{task.state_info ? first(task.state_info) : ""}</span>,
  },
]

function first(text: string): string {
  const { cause, headline } = readStateInfo(text)
  return cause ?? plain(headline)
}

function Marks({ task }: { task: Task }) {
  const count = contextOf(task).with_items?.count
  const retries = retriesOf(task)
  return (
    <span className="soft small">
      {[
        task.type === "WORKFLOW" ? "sub-workflow" : "",
        count === undefined ? "" : `${count} items`,
        retries ? `${retries} retries` : "",
      ]
        .filter(Boolean)
        .join(" · ")}
    </span>
  )
}

export function TasksTab() {
  const { execution, taskId, select } = useExecution()
  const { data, error, refetch } = useQuery(tasksQuery(execution.id))
  const [search, setSearch] = useSearchParams()
  const [sorting, setSorting] = useState<Sorting>({ key: "started_at", dir: "asc" })
  const [text, state] = [search.get("text") ?? "", search.get("state")]
  const counts = useMemo(() => countsOf(data ?? []), [data])
  const rows = useMemo(() => sorted(filtered(data ?? [], text, state), sorting), [data, text, state, sorting])
  const set = (name: string, value: string | null) =>
    setSearch(
      (old) => {
        const next = new URLSearchParams(old)
        if (value) next.set(name, value)
        else next.delete(name)
        return next
      },
      { replace: true },
    )
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading label="Reading the tasks" />
  return (
    <>
      <div className="task-filters">
        <SearchField
          label="Filter tasks by name or message"
          placeholder="Name or message"
          value={text}
          onChange={(value) => set("text", value)}
        />
        <div className="chips" role="group" aria-label="Filter by state">
          {counts.map(([name, count]) => (
            <button
              key={name}
              type="button"
              className="chip"
              aria-pressed={state === name}
              onClick={() => set("state", state === name ? null : name)}
            >
              <Icon name={stateLook(name).icon} size={12} /> {stateLook(name).label}{" "}
              <span className="count">{count}</span>
            </button>
          ))}
        </div>
      </div>
      <DataTable
        label="Tasks"
        columns={COLUMNS}
        rows={rows}
        idOf={(task) => task.id}
        onOpen={(task) => select(task.id)}
        sorting={sorting}
        onSort={setSorting}
        rowClass={(task) => (task.id === taskId ? "is-selected" : "")}
        empty={<Empty icon="list" title={data.length ? "No task is like that" : "No task has begun yet"} />}
      />
    </>
  )
}

function countsOf(tasks: readonly Task[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { state } of tasks) counts.set(state, (counts.get(state) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => rankOf(a) - rankOf(b))
}

function filtered(tasks: readonly Task[], text: string, state: string | null): Task[] {
  const wanted = text.toLowerCase()
  return tasks.filter(
    (task) =>
      (state === null || task.state === state) &&
      (wanted === "" ||
        task.name.toLowerCase().includes(wanted) ||
        (task.state_info?.toLowerCase().includes(wanted) ?? false)),
  )
}

function sorted(tasks: Task[], { key, dir }: Sorting): Task[] {
  const of = (task: Task): string | number => {
    if (key === "state") return rankOf(task.state)
    if (key === "name") return task.name
    return task.started_at?.replace("T", " ") ?? "9"
  }
  const sign = dir === "asc" ? 1 : -1
  return tasks.sort((a, b) => {
    const [x, y] = [of(a), of(b)]
    return x === y ? (a.id < b.id ? -1 : 1) : (x < y ? -1 : 1) * sign
  })
}
