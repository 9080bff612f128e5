/** The rows of the list, page by page, and what the stream changes in them. */
import { type InfiniteData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect, useMemo, useRef, useState } from "react"
import { api, type Query } from "~/api/client"
import type { Execution } from "~/api/types"
import { type ExecutionEvent, throttled, useLive } from "~/live"
import { type Filters, listQuery, matches, writeFilters } from "./filters"

export type Row = Pick<
  Execution,
  | "id"
  | "workflow_name"
  | "description"
  | "tags"
  | "state"
  | "state_info"
  | "created_at"
  | "updated_at"
  | "task_execution_id"
  | "project_id"
>
type Pages = InfiniteData<Row[], string>

export const ROW_FIELDS =
  "id,workflow_name,description,tags,state,state_info,created_at,updated_at,task_execution_id,project_id"
const PAGE = 100
const REFRESH_MS = 1000

export async function fetchRows(query: Query, limit: number, marker: string, signal?: AbortSignal): Promise<Row[]> {
  const page = { ...query, fields: ROW_FIELDS, limit, marker }
  return (await api.get<{ executions: Row[] }>("/v2/executions", page, signal)).executions
}

export interface Rows {
  rows: Row[]
  isPending: boolean
  error: Error | null
  refetch: () => void
  onEnd: (() => void) | undefined
  isLoadingMore: boolean
  /** Rows that came while somebody reads further down or has rows selected. */
  held: number
  showHeld: () => void
  fresh: ReadonlySet<string>
}

/** `isCalm`: new rows wait until they are asked for, so that nothing moves under somebody's hand. */
export function useRows(filters: Filters, isCalm: () => boolean): Rows {
  const client = useQueryClient()
  const key = useMemo(() => ["executions", writeFilters(filters).toString()], [filters])
  const [held, setHeld] = useState<Row[]>([])
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set())
  const result = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => fetchRows(listQuery(filters, Date.now()), PAGE, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
    placeholderData: (before) => before,
  })
  useEffect(() => {
    setHeld([])
    setFresh(new Set())
  }, [key])

  const isNewestFirst = filters.sorting.key === "created_at" && filters.sorting.dir === "desc"
  const refresh = useRef<() => void>(() => {})
  useEffect(() => {
    // What only the server can tell is asked of it: the first page alone, and not more than once a second.
    refresh.current = throttled(() => {
      void fetchRows(listQuery(filters, Date.now()), PAGE, "").then(
        (first) => client.setQueryData<Pages>(key, (data) => (data ? withFirstPage(data, first) : data)),
        () => {},
      )
    }, REFRESH_MS)
  }, [client, filters, key])

  useLive((batch) => {
    const data = client.getQueryData<Pages>(key)
    if (!data || (batch.executions.length === 0 && batch.deleted.length === 0)) return
    const known = new Set(data.pages.flatMap((page) => page.map((row) => row.id)))
    const added: Row[] = []
    let isUnsure = false
    for (const event of batch.executions) {
      if (known.has(event.id)) continue
      const fits = matches(filters, event)
      if (fits === true && isNewestFirst) added.push(rowOf(event))
      else if (fits !== false) isUnsure = true
    }
    client.setQueryData<Pages>(
      key,
      patched(
        data,
        filters,
        batch.executions,
        batch.deleted.map((one) => one.id),
      ),
    )
    added.sort((a, b) => (a.created_at < b.created_at ? 1 : -1))
    if (added.length > 0 && isCalm()) setHeld((before) => merged(added, before))
    else if (added.length > 0) {
      client.setQueryData<Pages>(key, (now) => (now ? withNew(now, added) : now))
      setFresh(new Set(added.map((row) => row.id)))
    }
    if (isUnsure && !isCalm()) refresh.current()
  })

  return {
    rows: useMemo(() => result.data?.pages.flat() ?? [], [result.data]),
    isPending: result.isPending,
    error: result.error,
    refetch: () => void result.refetch(),
    onEnd: result.hasNextPage && !result.isFetchingNextPage ? () => void result.fetchNextPage() : undefined,
    isLoadingMore: result.isFetchingNextPage,
    held: held.length,
    showHeld: () => {
      client.setQueryData<Pages>(key, (now) => (now ? withNew(now, held) : now))
      setHeld([])
    },
    fresh,
  }
}

function rowOf(event: ExecutionEvent): Row {
  const { id, workflow_name, description, tags, state, state_info } = event
  const { created_at, updated_at, task_execution_id, project_id } = event
  return {
    id,
    workflow_name,
    description,
    tags,
    state,
    state_info,
    created_at,
    updated_at,
    task_execution_id,
    project_id,
  }
}

function merged(newer: Row[], older: Row[]): Row[] {
  const ids = new Set(newer.map((row) => row.id))
  return [...newer, ...older.filter((row) => !ids.has(row.id))]
}

function withNew(data: Pages, rows: Row[]): Pages {
  const [first = [], ...rest] = data.pages
  return { ...data, pages: [merged(rows, first), ...rest] }
}

function withFirstPage(data: Pages, first: Row[]): Pages {
  const ids = new Set(first.map((row) => row.id))
  const rest = data.pages.map((page) => page.filter((row) => !ids.has(row.id)))
  if (first.length < PAGE) return { pages: [first], pageParams: data.pageParams.slice(0, 1) }
  return { ...data, pages: [[...first, ...(rest[0] ?? [])], ...rest.slice(1)] }
}

/** The rows with their new states; those that are gone or fit the filter no more are left out. */
function patched(data: Pages, filters: Filters, events: ExecutionEvent[], deleted: string[]): Pages {
  const changes = new Map(events.map((event) => [event.id, event]))
  const gone = new Set(deleted)
  const pages = data.pages.map((page) => {
    let isChanged = false
    const rows: Row[] = []
    for (const row of page) {
      const event = changes.get(row.id)
      if (gone.has(row.id) || (event && matches(filters, event) === false)) {
        isChanged = true
        continue
      }
      if (event) isChanged = true
      rows.push(event ? { ...row, ...rowOf(event) } : row)
    }
    return isChanged ? rows : page
  })
  return { ...data, pages }
}
