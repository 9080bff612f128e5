import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query"
import { lazy, Suspense, useRef, useState } from "react"
import { Link } from "react-router"
import { api } from "~/api/client"
import type { Overview } from "~/api/types"
import { useSession } from "~/app/session"
import { describe } from "~/executions/description"
import { FirstSteps } from "~/executions/FirstSteps"
import { fetchRows, type Row } from "~/executions/rows"
import { throttled, useLive } from "~/live"
import { Button, ButtonLink, Card, Duration, Empty, ErrorNote, Icon, Loading, Page, Time } from "~/ui"
import { Attention } from "./Attention"
import { Latency, Throughput } from "./charts"
import { Tiles } from "./Tiles"
import "./home.css"

const StartWorkflow = lazy(async () => ({ default: (await import("~/executions/StartWorkflow")).StartWorkflow }))
const REFRESH_MS = 1000
const RUNNING_SHOWN = 8

/** What runs, what failed and why, what waits for somebody, what comes next. */
export function HomePage() {
  const client = useQueryClient()
  const [isStarting, setStarting] = useState(false)
  const { auth, project_id } = useSession()
  const overview = useQuery({
    queryKey: ["overview"],
    queryFn: ({ signal }) => api.get<Overview>("/v2/overview", {}, signal),
    placeholderData: keepPreviousData,
  })
  const running = useQuery({
    queryKey: ["running"],
    queryFn: ({ signal }) => fetchRows(RUNNING, RUNNING_SHOWN, "", signal),
    placeholderData: keepPreviousData,
  })
  const refresh = useRef(
    throttled(() => {
      void client.invalidateQueries({ queryKey: ["overview"] })
      void client.invalidateQueries({ queryKey: ["running"] })
    }, REFRESH_MS),
  )
  useLive((batch) => {
    if (batch.executions.length > 0 || batch.deleted.length > 0) refresh.current()
  })

  const data = overview.data
  const isUnused = data !== undefined && Object.values(data.counts).every((count) => count === 0)
  return (
    <Page
      title="Ostro"
      heading="Home"
      note={auth === "none" ? undefined : <>Project {project_id}</>}
      actions={
        isUnused ? null : (
          <Button kind="primary" icon="plus" action="execution.start" onClick={() => setStarting(true)}>
            Start a workflow
          </Button>
        )
      }
    >
      {overview.error ? <ErrorNote error={overview.error} onRetry={() => void overview.refetch()} /> : null}
      {data === undefined ? overview.error ? null : <Loading /> : null}
      {data && isUnused ? <FirstSteps /> : null}
      {data && !isUnused ? (
        <>
          <Tiles overview={data} />
          <div className="columns">
            <div className="column">
              <Attention items={data.attention} />
              <Running rows={running.data ?? []} total={data.counts["RUNNING"] ?? 0} />
            </div>
            <div className="column">
              <Throughput overview={data} />
              <Latency overview={data} />
              <Due due={data.due} />
            </div>
          </div>
        </>
      ) : null}
      {isStarting ? (
        <Suspense fallback={null}>
          <StartWorkflow onClose={() => setStarting(false)} />
        </Suspense>
      ) : null}
    </Page>
  )
}

const RUNNING = { state: "RUNNING", nulls: "task_execution_id", sort_keys: "created_at", sort_dirs: "desc" }

function Running({ rows, total }: { rows: Row[]; total: number }) {
  return (
    <Card
      flush
      title="Running now"
      actions={
        total > rows.length ? (
          <Link to="/executions?state=RUNNING" className="small">
            {`All ${total.toLocaleString()}`}
          </Link>
        ) : null
      }
    >
      {rows.length === 0 ? (
        <p className="card-empty">Nothing runs at this moment.</p>
      ) : (
        <ul className="lines">
          {rows.map((row) => (
            <li key={row.id}>
              <Link to={`/executions/${row.id}`} className="line">
                <span className="pulse" aria-hidden="true" />
                <span className="line-name ellipsis">{row.workflow_name}</span>
                <span className="grow soft ellipsis">{describe(row.description)}</span>
                <span className="soft">
                  <Duration from={row.created_at} to={null} isRunning />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

function Due({ due }: { due: Overview["due"] }) {
  return (
    <Card flush title="Due next">
      {due.length === 0 ? (
        <Empty icon="clock" title="No cron trigger is set">
          <ButtonLink small to="/cron">
            Run something by the clock
          </ButtonLink>
        </Empty>
      ) : (
        <ul className="lines">
          {due.map((one) => (
            <li key={one.id}>
              <Link to={`/cron/${one.id}`} className="line">
                <Icon name="clock" size={14} />
                <span className="line-name ellipsis">{one.name}</span>
                <span className="grow soft ellipsis">{one.workflow}</span>
                <span className="soft">
                  <Time at={one.at} />
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
