/** The list of one kind of definitions: found by name, opened, started, deleted. */
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query"
import { lazy, Suspense, useCallback, useDeferredValue, useMemo, useState } from "react"
import { useSearchParams } from "react-router"
import { api } from "~/api/client"
import {
  Button,
  ButtonLink,
  DataTable,
  Empty,
  ErrorNote,
  Loading,
  Menu,
  Page,
  Time,
  toast,
  toastError,
  type Column,
  type MenuItem,
  type Sorting,
} from "~/ui"
import { useSession } from "~/app/session"
import { SearchField } from "~/execution/SearchField"
import { DeleteDefinition } from "./DeleteDefinition"
import { addressOf, definitionOf, KINDS, linkOf, type Definition, type Kind, type KindInfo } from "./kinds"
import { isTheirs } from "./useSaving"
import "./definitions.css"

const StartOne = lazy(async () => ({ default: (await import("./StartOne")).StartOne }))
const RunAction = lazy(async () => ({ default: (await import("./RunAction")).RunAction }))
const PAGE = 100

interface PageOf {
  next?: string
  [list: string]: unknown
}

function useList(info: KindInfo, text: string, { key, dir }: Sorting, isDeletedShown: boolean) {
  return useInfiniteQuery({
    queryKey: ["definitions", info.kind, text, key, dir, isDeletedShown],
    queryFn: async ({ pageParam, signal }) => {
      const page = await api.get<PageOf>(
        info.api,
        {
          limit: PAGE,
          sort_keys: key,
          sort_dirs: dir,
          marker: pageParam,
          ...(text ? { name: `has:${text}` } : {}),
          ...(isDeletedShown ? { include_deleted: true } : {}),
        },
        signal,
      )
      const rows = (page[info.list] as Record<string, unknown>[]).map((raw) => definitionOf(info.kind, raw))
      return { rows, hasMore: page.next !== undefined && rows.length > 0 }
    },
    initialPageParam: "",
    getNextPageParam: (last) => (last.hasMore ? (last.rows.at(-1)?.id ?? null) : null),
  })
}

type Open = { verb: "start" | "delete" | "run"; row: Definition } | null

export function DefinitionsPage({ kind }: { kind: Kind }) {
  const info = KINDS[kind]
  const [search, setSearch] = useSearchParams()
  const text = search.get("name") ?? ""
  const isDeletedShown = search.get("deleted") === "1"
  const [sorting, setSorting] = useState<Sorting>({ key: "name", dir: "asc" })
  const list = useList(info, useDeferredValue(text), sorting, isDeletedShown)
  const session = useSession()
  const [open, setOpen] = useState<Open>(null)
  const client = useQueryClient()
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.rows) ?? [], [list.data])
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = list
  const onEnd = useCallback(() => void fetchNextPage(), [fetchNextPage])
  const set = (name: string, value: string) =>
    setSearch(
      (old) => {
        const next = new URLSearchParams(old)
        if (value) next.set(name, value)
        else next.delete(name)
        return next
      },
      { replace: true },
    )
  const restore = (row: Definition) => {
    api.post(`${addressOf(info, row.id)}/restore`).then(() => {
      toast(`${row.name} is back.`)
      void client.invalidateQueries({ queryKey: ["definitions", kind] })
    }, toastError)
  }
  const columns = columnsOf(kind, (row) => menuOf(kind, row, !isTheirs(session, row), setOpen, restore))
  return (
    <Page
      wide
      title={info.title}
      note={info.note}
      actions={
        <ButtonLink to={`${info.path}/new`} kind="primary" icon="plus" action={info.verbs.create.action}>
          New {info.one}
        </ButtonLink>
      }
    >
      <div className="list-filters">
        <SearchField
          label="Find by name"
          placeholder="Find by name"
          value={text}
          onChange={(value) => set("name", value)}
        />
        {kind === "automation" ? (
          <Button
            small
            aria-pressed={isDeletedShown}
            icon="trash"
            onClick={() => set("deleted", isDeletedShown ? "" : "1")}
          >
            {isDeletedShown ? "Hide deleted" : "Show deleted"}
          </Button>
        ) : null}
      </div>
      <div className="list-frame">
        {list.error ? (
          <ErrorNote error={list.error} onRetry={() => void list.refetch()} />
        ) : list.isPending ? (
          <Loading />
        ) : (
          <DataTable
            label={info.title}
            columns={columns}
            rows={rows}
            idOf={(row) => row.id}
            linkOf={(row) => linkOf(info, row)}
            sorting={kind === "automation" && sorting.key === "created_at" ? { ...sorting, key: "created" } : sorting}
            onSort={setSorting}
            onEnd={hasNextPage && !isFetchingNextPage ? onEnd : undefined}
            rowClass={(row) => (row.isDeleted ? "is-deleted" : "")}
            footer={isFetchingNextPage ? <Loading label="Loading more" /> : null}
            empty={
              <Empty
                icon={info.icon}
                title={text ? `No ${info.one} has “${text}” in its name` : `There is no ${info.one} yet`}
              >
                {text ? null : (
                  <ButtonLink to={`${info.path}/new`} icon="plus" action={info.verbs.create.action}>
                    Write the first one
                  </ButtonLink>
                )}
              </Empty>
            }
          />
        )}
      </div>
      <Suspense fallback={null}>
        {open?.verb === "start" ? <StartOne kind={kind} id={open.row.id} onClose={() => setOpen(null)} /> : null}
        {open?.verb === "run" ? <RunAction action={open.row} onClose={() => setOpen(null)} /> : null}
      </Suspense>
      {open?.verb === "delete" ? (
        <DeleteDefinition info={info} definition={open.row} onClose={() => setOpen(null)} />
      ) : null}
    </Page>
  )
}

function menuOf(
  kind: Kind,
  row: Definition,
  isOwn: boolean,
  setOpen: (open: Open) => void,
  restore: (row: Definition) => void,
): MenuItem[] {
  if (row.isDeleted)
    return [{ label: "Restore", icon: "rerun", action: "automation.restore", onSelect: () => restore(row) }]
  const items: MenuItem[] = []
  if (kind === "workflow")
    items.push({
      label: "Start …",
      icon: "executions",
      action: "execution.start",
      onSelect: () => setOpen({ verb: "start", row }),
    })
  if (kind === "automation")
    items.push({
      label: "Run …",
      icon: "executions",
      action: "automation.run",
      onSelect: () => setOpen({ verb: "start", row }),
    })
  if (kind === "action")
    items.push({
      label: "Run …",
      icon: "executions",
      action: "action.run",
      onSelect: () => setOpen({ verb: "run", row }),
    })
  if (isOwn && !row.isSystem)
    items.push({
      label: "Delete …",
      icon: "trash",
      isDanger: true,
      ...KINDS[kind].verbs.delete,
      onSelect: () => setOpen({ verb: "delete", row }),
    })
  return items
}

function columnsOf(kind: Kind, items: (row: Definition) => MenuItem[]): Column<Definition>[] {
  const isAutomation = kind === "automation"
  return [
    {
      key: "name",
      title: "Name",
      width: "minmax(11rem, 1.3fr)",
      sort: "name",
      cell: (row) => (
        <span className="row">
          <span className="strong ellipsis">{row.name}</span>
          {row.namespace && !isAutomation ? <span className="tag">{row.namespace}</span> : null}
          {row.isSystem ? <span className="tag">built in</span> : null}
          {row.isDeleted ? <span className="tag">deleted</span> : null}
          {row.scope === "public" || row.scope === "global" ? <span className="tag">shared</span> : null}
        </span>
      ),
    },
    kind === "action"
      ? {
          key: "about",
          title: "About",
          width: "minmax(10rem, 2fr)",
          isExtra: true,
          cell: (row) => <span className="soft ellipsis">{row.description?.split("\n")[0]}</span>,
        }
      : {
          key: "tags",
          title: "Tags",
          width: "minmax(6rem, 1fr)",
          isExtra: true,
          cell: (row) =>
            row.tags.map((tag) => (
              <span key={tag} className="tag">
                {tag}
              </span>
            )),
        },
    ...(kind === "workflow" || kind === "action"
      ? [
          {
            key: "input",
            title: "Input",
            width: "minmax(9rem, 1.5fr)",
            isExtra: true,
            cell: (row: Definition) => <span className="mono soft ellipsis">{row.input}</span>,
          },
        ]
      : []),
    {
      key: "updated",
      title: "Changed",
      width: "8rem",
      sort: isAutomation ? "updated" : "updated_at",
      isExtra: true,
      cell: (row) => <Time at={row.updatedAt ?? row.createdAt} />,
    },
    {
      key: "menu",
      title: "",
      width: "3rem",
      align: "end",
      cell: (row) => (items(row).length ? <Menu label={`What to do with ${row.name}`} items={items(row)} /> : null),
    },
  ]
}
