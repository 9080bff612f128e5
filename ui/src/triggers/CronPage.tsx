import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useRef, useState } from "react"
import { useNavigate, useParams } from "react-router"
import { api } from "~/api/client"
import { throttled, useLive } from "~/live"
import {
  Button,
  Card,
  CommandsButton,
  curlLine,
  DataTable,
  Empty,
  ErrorNote,
  FormDialog,
  Icon,
  Loading,
  Page,
  quoted,
  Time,
  toast,
  useMay,
  type Column,
} from "~/ui"
import { CronDetails } from "./CronDetails"
import { CronForm } from "./CronForm"
import type { Cron } from "./types"
import "./triggers.css"

/** Workflows that start by the clock: when next, how the last start went. */
export function CronPage() {
  const { id } = useParams()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [isMaking, setMaking] = useState(false)
  const [doomed, setDoomed] = useState<Cron | null>(null)
  const may = useMay()
  const list = useQuery({
    queryKey: ["cron"],
    queryFn: async ({ signal }) =>
      (await api.get<{ cron_triggers: Cron[] }>("/v2/cron_triggers", { sort_keys: "name" }, signal)).cron_triggers,
  })
  const refresh = useRef(throttled(() => void client.invalidateQueries({ queryKey: ["cron"] }), 2000))
  useLive((batch) => {
    // A cron trigger tells nothing by itself; its starts do.
    if (batch.executions.some((one) => one.task_execution_id === null && one.state === "RUNNING")) refresh.current()
  })
  const rows = list.data ?? []
  const open = id === undefined ? undefined : rows.find((row) => row.id === id || row.name === id)
  const columns: Column<Cron>[] = [
    {
      key: "name",
      title: "Name",
      width: "minmax(120px, 1fr)",
      cell: (row) => <span className="strong">{row.name}</span>,
    },
    {
      key: "workflow",
      title: "Workflow",
      width: "minmax(110px, 1fr)",
      isExtra: true,
      cell: (row) => row.workflow_name,
    },
    {
      key: "pattern",
      title: "Pattern",
      width: "minmax(100px, 0.8fr)",
      isExtra: true,
      cell: (row) => (
        <>
          <code>{row.pattern ?? "once"}</code>
          {row.time_zone && row.time_zone !== "UTC" ? <span className="soft">{` ${row.time_zone}`}</span> : null}
        </>
      ),
    },
    { key: "next", title: "Next", width: "96px", cell: (row) => <Time at={row.next_execution_time} /> },
    { key: "last", title: "Last start", width: "minmax(120px, 0.9fr)", cell: (row) => <LastStart cron={row} /> },
    {
      key: "left",
      title: "Left",
      width: "60px",
      isExtra: true,
      align: "end",
      cell: (row) => (row.remaining_executions === null ? <span className="faint">∞</span> : row.remaining_executions),
    },
  ]
  return (
    <Page
      title="Cron triggers"
      note="Start a workflow by the clock. A time that was missed while Ostro was down is made up for."
      actions={
        <>
          <CommandsButton commands={{ cli: "ostro cron-trigger list", curl: curlLine("GET", "/v2/cron_triggers") }} />
          <Button kind="primary" icon="plus" action="cron-trigger.create" onClick={() => setMaking(true)}>
            New cron trigger
          </Button>
        </>
      }
    >
      {list.error ? <ErrorNote error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isPending ? <Loading /> : null}
      {list.data ? (
        <Card flush>
          <DataTable
            label="Cron triggers"
            columns={columns}
            rows={rows}
            idOf={(row) => row.id}
            linkOf={(row) => `/cron/${row.id}`}
            maxHeight="calc(100dvh - 190px)"
            empty={
              <Empty icon="clock" title="No workflow starts by the clock yet">
                A pattern such as <code>0 6 * * MON-FRI</code> starts one at six on working days.
              </Empty>
            }
          />
        </Card>
      ) : null}
      {open ? (
        <CronDetails
          cron={open}
          onClose={() => void navigate("/cron")}
          {...(may("cron-trigger.delete") ? { onDelete: () => setDoomed(open) } : {})}
        />
      ) : null}
      {isMaking ? <CronForm onClose={() => setMaking(false)} onDone={() => void list.refetch()} /> : null}
      {doomed ? (
        <FormDialog
          title={`Delete ${doomed.name}`}
          submit="Delete"
          icon="trash"
          action="cron-trigger.delete"
          isDanger
          commands={{
            cli: `ostro cron-trigger delete ${quoted(doomed.name)}`,
            curl: curlLine("DELETE", `/v2/cron_triggers/${doomed.id}`),
          }}
          onSubmit={async () => {
            await api.delete(`/v2/cron_triggers/${doomed.id}`)
            toast(`${doomed.name} is deleted.`)
            void navigate("/cron")
            await list.refetch()
          }}
          onClose={() => setDoomed(null)}
        >
          <p>
            It will not start <span className="strong">{doomed.workflow_name}</span> any more. Executions that it has
            started go on.
          </p>
        </FormDialog>
      ) : null}
    </Page>
  )
}

function LastStart({ cron }: { cron: Cron }) {
  if (cron.last_error) {
    return (
      <span className="is-error" title={cron.last_error}>
        <Icon name="error" size={13} />{" "}
        {`failed${cron.failures && cron.failures > 1 ? ` ${cron.failures} times` : ""}: ${cron.last_error}`}
      </span>
    )
  }
  return <Time at={cron.last_execution_time} fallback="not yet" />
}
