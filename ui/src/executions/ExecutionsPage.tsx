import { lazy, Suspense, useCallback, useMemo, useRef, useState } from "react"
import { Link, useSearchParams } from "react-router"
import { useSession } from "~/app/session"
import { plain, readStateInfo } from "~/execution/model/stateInfo"
import {
  Button,
  Checkbox,
  CommandsButton,
  curlLine,
  DataTable,
  Duration,
  Empty,
  ErrorNote,
  isUnfinished,
  Loading,
  Page,
  State,
  Time,
  useMay,
  type Column,
} from "~/ui"
import { address } from "~/api/client"
import { BulkDialog, type Target } from "./BulkDialog"
import { cliOptions, type Filters, isFiltered, listQuery, readFilters, writeFilters } from "./filters"
import { describe } from "./description"
import { FirstSteps } from "./FirstSteps"
import { type Operation, OPERATIONS } from "./operations"
import { type Row, useRows } from "./rows"
import { Toolbar } from "./Toolbar"
import "./executions.css"

const StartWorkflow = lazy(async () => ({ default: (await import("./StartWorkflow")).StartWorkflow }))

const COLUMNS: Column<Row>[] = [
  { key: "state", title: "State", width: "104px", sort: "state", cell: (row) => <State state={row.state} /> },
  {
    key: "workflow",
    title: "Workflow",
    width: "minmax(130px, 1.1fr)",
    sort: "workflow_name",
    cell: (row) => (
      <Link to={`/executions/${row.id}`} className="row-link" tabIndex={-1}>
        {row.workflow_name || "(no name)"}
      </Link>
    ),
  },
  {
    key: "about",
    title: "What happened",
    width: "minmax(160px, 2fr)",
    isExtra: true,
    cell: (row) => <About row={row} />,
  },
  {
    key: "tags",
    title: "Tags",
    width: "minmax(60px, 0.7fr)",
    isExtra: true,
    cell: (row) =>
      row.tags.map((tag) => (
        <span key={tag} className="tag">
          {tag}
        </span>
      )),
  },
  {
    key: "started",
    title: "Started",
    width: "84px",
    sort: "created_at",
    align: "end",
    cell: (row) => <Time at={row.created_at} />,
  },
  {
    key: "duration",
    title: "Duration",
    width: "104px",
    align: "end",
    isExtra: true,
    cell: (row) => <Duration from={row.created_at} to={row.updated_at} isRunning={isUnfinished(row.state)} />,
  },
]

/** For administrators, whose list has all projects. */
const PROJECT: Column<Row> = {
  key: "project",
  title: "Project",
  width: "minmax(60px, 0.5fr)",
  isExtra: true,
  cell: (row) => <span className="soft ellipsis">{row.project_id}</span>,
}

/** The live list of executions. */
export function ExecutionsPage() {
  const [search, setSearch] = useSearchParams()
  const filters = useMemo(() => readFilters(search), [search])
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [bulk, setBulk] = useState<{ operation: Operation; target: Target } | null>(null)
  const [isStarting, setStarting] = useState(false)
  const may = useMay()
  const { auth, is_admin } = useSession()
  const columns = auth !== "none" && is_admin ? COLUMNS.toSpliced(2, 0, PROJECT) : COLUMNS
  const operations = OPERATIONS.filter((operation) => may(operation.action))
  const frame = useRef<HTMLDivElement>(null)
  const isCalm = () => selected.size > 0 || (frame.current?.querySelector(".table")?.scrollTop ?? 0) > 40
  const list = useRows(filters, isCalm)

  const change = useCallback(
    (part: Partial<Filters>) => {
      setSelected(new Set())
      setSearch((before) => writeFilters({ ...readFilters(before), ...part }), { replace: true })
    },
    [setSearch],
  )
  const selectedRows = list.rows.filter((row) => selected.has(row.id))
  const query = address("/v2/executions", listQuery(filters, Date.now()))
  const isEmpty = !list.isPending && list.rows.length === 0
  return (
    <Page
      title="Executions"
      wide
      actions={
        <>
          <Checkbox
            label="With sub-executions"
            checked={filters.withChildren}
            onChange={(event) => change({ withChildren: event.target.checked })}
          />
          <CommandsButton
            commands={{ cli: `ostro execution list${cliOptions(filters)}`, curl: curlLine("GET", query) }}
            title="List this from a shell"
          />
          <Button kind="primary" icon="plus" action="execution.start" onClick={() => setStarting(true)}>
            Start a workflow
          </Button>
        </>
      }
    >
      <Toolbar filters={filters} onChange={change} />
      {list.error ? <ErrorNote error={list.error} onRetry={list.refetch} /> : null}
      <div className="list-frame" ref={frame}>
        {selected.size > 0 ? (
          <BulkBar
            operations={operations}
            count={selected.size}
            isAllLoaded={selected.size === list.rows.length && list.onEnd !== undefined}
            onClear={() => setSelected(new Set())}
            onPick={(operation, isAll) =>
              setBulk({ operation, target: isAll ? { kind: "filter", filters } : { kind: "rows", rows: selectedRows } })
            }
          />
        ) : list.held > 0 ? (
          <button
            type="button"
            className="held"
            onClick={() => {
              list.showHeld()
              frame.current?.querySelector(".table")?.scrollTo({ top: 0 })
            }}
          >
            {`${list.held} new`}
          </button>
        ) : null}
        {list.isPending ? (
          <Loading />
        ) : (
          <DataTable
            label="Executions"
            columns={columns}
            rows={list.rows}
            idOf={(row) => row.id}
            linkOf={(row) => `/executions/${row.id}`}
            sorting={filters.sorting}
            onSort={(sorting) => change({ sorting })}
            {...(operations.length > 0 ? { selection: { ids: selected, onChange: setSelected } } : {})}
            onEnd={list.onEnd}
            rowClass={(row) => (list.fresh.has(row.id) ? "is-new" : "")}
            empty={isEmpty ? <NothingFound filters={filters} onClear={() => setSearch({}, { replace: true })} /> : null}
            footer={list.isLoadingMore ? <Loading label="Loading more" /> : null}
          />
        )}
      </div>
      {bulk ? (
        <BulkDialog
          {...bulk}
          onClose={(isDone) => {
            setBulk(null)
            if (isDone) {
              setSelected(new Set())
              list.refetch()
            }
          }}
        />
      ) : null}
      {isStarting ? (
        <Suspense fallback={null}>
          <StartWorkflow
            {...(filters.workflow ? { workflow: filters.workflow } : {})}
            onClose={() => setStarting(false)}
          />
        </Suspense>
      ) : null}
    </Page>
  )
}

const UNTOLD: Record<string, string> = { RUNNING: "In progress", PAUSED: "Waits to be resumed", IDLE: "Has not begun" }

/** Why it failed, or what somebody wrote about it. */
function About({ row }: { row: Row }) {
  if (row.state_info && row.state !== "SUCCESS") {
    const info = readStateInfo(row.state_info)
    const text = info.cause ?? plain(info.headline)
    return (
      <span className={row.state === "ERROR" ? "row-error" : "soft"} title={text}>
        {info.tasks.at(-1) ? <span className="strong">{`${info.tasks.at(-1)!.name}: `}</span> : null}
        {text}
      </span>
    )
  }
  return <span className="soft">{describe(row.description) || UNTOLD[row.state]}</span>
}

function BulkBar({
  operations,
  count,
  isAllLoaded,
  onPick,
  onClear,
}: {
  operations: readonly Operation[]
  count: number
  isAllLoaded: boolean
  onPick: (operation: Operation, isAll: boolean) => void
  onClear: () => void
}) {
  const [isAll, setAll] = useState(false)
  return (
    <div className="bulk-bar" role="toolbar" aria-label="For the selected executions">
      <span className="strong">{isAll ? "All that match" : `${count} selected`}</span>
      {isAllLoaded && !isAll ? (
        <button type="button" className="link-button" onClick={() => setAll(true)}>
          Select all that match the filter
        </button>
      ) : null}
      <span className="grow" />
      {operations.map((operation) => (
        <Button
          key={operation.verb}
          small
          icon={operation.icon}
          onClick={() => onPick(operation, isAll)}
          kind={operation.verb === "delete" ? "danger" : "plain"}
        >
          {`${operation.label} …`}
        </Button>
      ))}
      <Button small kind="quiet" icon="cross" aria-label="Clear the selection" onClick={onClear} />
    </div>
  )
}

function NothingFound({ filters, onClear }: { filters: Filters; onClear: () => void }) {
  const { is_admin } = useSession() // whose list has all projects
  if (!isFiltered(filters)) return <FirstSteps isEverywhere={is_admin} />
  return (
    <Empty icon="search" title="No execution matches">
      <Button onClick={onClear}>Clear the filter</Button>
    </Empty>
  )
}
