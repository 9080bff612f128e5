/** What the list of executions shows: read from the address, written to it, told to the API. */
import type { Query } from "~/api/client"
import type { ExecutionEvent } from "~/live"
import { quoted, type Sorting } from "~/ui"

export interface Filters {
  states: string[]
  workflow: string
  tags: string[]
  /** "1h", "24h", "7d", or "" for any time. */
  since: string
  /** Exact bounds in place of `since`, as the API takes them: "2026-01-31 12:00:00". */
  from: string
  to: string
  text: string
  /** Sub-executions too, not only those that were started by somebody. */
  withChildren: boolean
  sorting: Sorting
}

export const PERIODS: readonly (readonly [value: string, text: string])[] = [
  ["", "Any time"],
  ["1h", "Last hour"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
  ["exact", "Between …"],
]
const HOURS: Record<string, number> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 }
const DEFAULT_SORT = "-created_at"

export function readFilters(search: URLSearchParams): Filters {
  const list = (name: string) => (search.get(name) ?? "").split(",").filter((one) => one !== "")
  const sort = search.get("sort") ?? DEFAULT_SORT
  return {
    states: list("state"),
    workflow: search.get("workflow") ?? "",
    tags: list("tags"),
    since: search.get("since") ?? "",
    from: search.get("from") ?? "",
    to: search.get("to") ?? "",
    text: search.get("q") ?? "",
    withChildren: search.get("children") === "1",
    sorting: sort.startsWith("-") ? { key: sort.slice(1), dir: "desc" } : { key: sort, dir: "asc" },
  }
}

export function writeFilters(filters: Filters): URLSearchParams {
  const sort = `${filters.sorting.dir === "desc" ? "-" : ""}${filters.sorting.key}`
  const fields: [string, string][] = [
    ["state", filters.states.join(",")],
    ["workflow", filters.workflow],
    ["tags", filters.tags.join(",")],
    ["since", filters.since],
    ["from", filters.since === "exact" ? filters.from : ""],
    ["to", filters.since === "exact" ? filters.to : ""],
    ["q", filters.text],
    ["children", filters.withChildren ? "1" : ""],
    ["sort", sort === DEFAULT_SORT ? "" : sort],
  ]
  return new URLSearchParams(fields.filter(([, value]) => value !== ""))
}

export function isFiltered(filters: Filters): boolean {
  const { states, workflow, tags, since, text } = filters
  return states.length > 0 || workflow !== "" || tags.length > 0 || since !== "" || text !== ""
}

function apiTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ")
}

/** The lower and upper bound of `created_at`, as the API takes them; a period is counted back from `now`. */
function bounds(filters: Filters, now: number): [from: string, to: string] {
  if (filters.since === "exact") return [utc(filters.from), utc(filters.to)]
  const hours = HOURS[filters.since]
  return hours === undefined ? ["", ""] : [apiTime(now - hours * 3_600_000), ""]
}

/** The address holds local times as date inputs give them: "2026-01-31T12:00". */
function utc(local: string): string {
  const ms = local ? new Date(local).getTime() : Number.NaN
  return Number.isNaN(ms) ? "" : apiTime(ms)
}

/** The fields of `GET /v2/executions`. */
export function listQuery(filters: Filters, now: number): Query {
  const [from, to] = bounds(filters, now)
  return {
    state: filters.states.length > 1 ? `in:${filters.states.join(",")}` : filters.states[0],
    workflow_name: filters.workflow,
    tags: filters.tags.join(","),
    created_at: [from && `gte:${from}`, to && `lte:${to}`].filter(Boolean).join(","),
    text: filters.text,
    nulls: filters.withChildren ? "" : "task_execution_id",
    sort_keys: filters.sorting.key,
    sort_dirs: filters.sorting.dir,
  }
}

/** The options of `ostro execution list|cancel|...` that choose the same rows. */
export function cliOptions(filters: Filters): string {
  const [from, to] = filters.since === "exact" ? [utc(filters.from), utc(filters.to)] : ["", ""]
  const options = [
    filters.states.length > 0 && `--state ${filters.states.join(",")}`,
    filters.workflow && `--workflow ${quoted(filters.workflow)}`,
    ...filters.tags.map((tag) => `--tag ${quoted(tag)}`),
    HOURS[filters.since] !== undefined && `--since ${filters.since}`,
    from && `--since ${quoted(from)}`,
    to && `--before ${quoted(to)}`,
    filters.text && `-w ${quoted(`text=${filters.text}`)}`,
    !filters.withChildren && "--roots",
  ]
  return options.map((option) => (option ? ` ${option}` : "")).join("")
}

/** Whether a change that came by the stream is about a row of this list; null: only the server can tell. */
export function matches(filters: Filters, event: ExecutionEvent): boolean | null {
  if (!filters.withChildren && event.task_execution_id !== null) return false
  if (filters.states.length > 0 && !filters.states.includes(event.state)) return false
  if (filters.workflow && event.workflow_name !== filters.workflow) return false
  if (!filters.tags.every((tag) => event.tags.includes(tag))) return false
  return filters.text !== "" || filters.since === "exact" ? null : true
}
