import { useRef, useState } from "react"
import { Button, CommandLines, Dialog, ErrorNote, Loading, Note, State, Time } from "~/ui"
import { cliOptions, type Filters, listQuery } from "./filters"
import { commandsOf, forEach, type Operation } from "./operations"
import { fetchRows, type Row } from "./rows"
import { useQuery } from "@tanstack/react-query"

const AT_ONCE = 6
const MOST = 10_000
const SHOWN = 8

export type Target = { kind: "rows"; rows: readonly Row[] } | { kind: "filter"; filters: Filters }

interface Progress {
  done: number
  failed: { row: Row; message: string }[]
  isOver: boolean
}

/** Shows what will be hit before anything is done, then how far it is, then what went wrong. */
export function BulkDialog({
  operation,
  target,
  onClose,
}: {
  operation: Operation
  target: Target
  onClose: (isDone: boolean) => void
}) {
  const [progress, setProgress] = useState<Progress | null>(null)
  const abort = useRef(new AbortController())
  const preview = useQuery({
    queryKey: ["bulk", operation.verb, target],
    queryFn: ({ signal }) =>
      target.kind === "rows" ? target.rows.filter(fits(operation)) : everyRow(target.filters, operation, signal),
    staleTime: Infinity,
    gcTime: 0,
  })
  const rows = preview.data ?? []
  const given = target.kind === "rows" ? target.rows.length : null

  const start = async () => {
    const failed: Progress["failed"] = []
    let done = 0
    setProgress({ done, failed, isOver: false })
    await forEach(
      rows,
      AT_ONCE,
      async (row) => {
        try {
          await operation.run(row.id)
        } catch (error) {
          failed.push({ row, message: error instanceof Error ? error.message : String(error) })
        }
        done += 1
        setProgress({ done, failed: [...failed], isOver: false })
      },
      abort.current.signal,
    )
    setProgress({ done, failed, isOver: true })
  }
  const close = () => {
    abort.current.abort()
    onClose(progress !== null)
  }
  const isRunning = progress !== null && !progress.isOver
  const count = rows.length.toLocaleString()
  const isDanger = operation.verb === "delete" || operation.verb === "cancel"
  return (
    <Dialog
      title={`${operation.label} executions`}
      onClose={close}
      footer={
        progress?.isOver ? (
          <Button kind="primary" onClick={close}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={close}>{isRunning ? "Stop here" : "Back"}</Button>
            <Button
              kind={isDanger ? "danger" : "primary"}
              icon={operation.icon}
              isBusy={isRunning}
              disabled={rows.length === 0}
              action={operation.action}
              onClick={() => void start()}
            >
              {`${operation.label} ${count}`}
            </Button>
          </>
        )
      }
    >
      {preview.isPending ? <Loading label="Looking what this will hit" /> : null}
      {preview.error ? <ErrorNote error={preview.error} onRetry={() => void preview.refetch()} /> : null}
      {preview.data && progress === null ? (
        <>
          <p>
            <span className="strong">{rows.length === 1 ? "1 execution" : `${count} executions`}</span> will be{" "}
            {operation.done}. {operation.explanation}
          </p>
          {given !== null && given > rows.length ? (
            <Note icon="warning">
              {`${given - rows.length} of the ${given} selected cannot be ${operation.done}: only those in state ${operation.states.join(" or ").toLowerCase()}.`}
            </Note>
          ) : null}
          {rows.length >= MOST ? (
            <Note icon="warning">{`The first ${MOST.toLocaleString()} only; there are more.`}</Note>
          ) : null}
          <ul className="bulk-rows">
            {rows.slice(0, SHOWN).map((row) => (
              <li key={row.id}>
                <State state={row.state} />
                <span className="grow ellipsis">{row.workflow_name}</span>
                <span className="soft">
                  <Time at={row.created_at} />
                </span>
              </li>
            ))}
            {rows.length > SHOWN ? (
              <li className="soft">{`and ${(rows.length - SHOWN).toLocaleString()} more`}</li>
            ) : null}
          </ul>
          <CommandLines
            {...commandsOf(operation, rows, target.kind === "filter" ? cliOptions(target.filters) : null)}
          />
        </>
      ) : null}
      {progress ? <ProgressPart progress={progress} total={rows.length} operation={operation} /> : null}
    </Dialog>
  )
}

function ProgressPart({ progress, total, operation }: { progress: Progress; total: number; operation: Operation }) {
  const good = progress.done - progress.failed.length
  return (
    <>
      <div
        className="progress-bar"
        role="progressbar"
        aria-label={`${operation.label}: progress`}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={progress.done}
      >
        <span style={{ width: `${(100 * progress.done) / Math.max(1, total)}%` }} />
      </div>
      <p role="status">{`${good.toLocaleString()} of ${total.toLocaleString()} ${operation.done}${progress.isOver ? "." : " …"}`}</p>
      {progress.failed.length > 0 ? (
        <>
          <p className="strong">{`${progress.failed.length} could not be ${operation.done}:`}</p>
          <ul className="bulk-rows">
            {progress.failed.slice(0, 50).map(({ row, message }) => (
              <li key={row.id}>
                <span className="ellipsis">{row.workflow_name}</span>
                <span className="grow soft">{message}</span>
              </li>
            ))}
          </ul>
        </>
      ) : null}
    </>
  )
}

function fits(operation: Operation): (row: Row) => boolean {
  return (row) => operation.states.includes(row.state)
}

/** All rows that the filter finds and the operation works on, page by page. */
async function everyRow(filters: Filters, operation: Operation, signal: AbortSignal): Promise<Row[]> {
  const states = operation.states.filter((state) => filters.states.length === 0 || filters.states.includes(state))
  if (states.length === 0) return []
  const query = listQuery({ ...filters, states }, Date.now())
  const rows: Row[] = []
  for (;;) {
    const page = await fetchRows(query, 1000, rows.at(-1)?.id ?? "", signal)
    rows.push(...page)
    if (page.length < 1000 || rows.length >= MOST) return rows.slice(0, MOST)
  }
}
