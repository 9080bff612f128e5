import { useQuery } from "@tanstack/react-query"
import { api } from "~/api/client"
import { useSession } from "~/app/session"
import { Card, CommandsButton, curlLine, DataTable, Empty, ErrorNote, Facts, Loading, Page, type Column } from "~/ui"

interface Service {
  name: string
  type: string
}

const KINDS: Record<string, string> = {
  api_group: "API: answers requests, serves this page",
  engine_group: "Engine: moves executions on",
  executor_group: "Executor: runs actions",
  event_engine_group: "Event engine: hears events",
}

/** The processes that make up this installation. */
export function ServicesPage() {
  const session = useSession()
  const list = useQuery({
    queryKey: ["services"],
    queryFn: async ({ signal }) => (await api.get<{ services: Service[] }>("/v2/services", {}, signal)).services,
  })
  const columns: Column<Service>[] = [
    { key: "name", title: "Process", width: "minmax(120px, 1fr)", cell: (row) => <code>{row.name}</code> },
    { key: "type", title: "What it does", width: "minmax(160px, 2fr)", cell: (row) => KINDS[row.type] ?? row.type },
  ]
  return (
    <Page
      title="Services"
      note="The processes of this installation."
      actions={<CommandsButton commands={{ cli: "ostro service list", curl: curlLine("GET", "/v2/services") }} />}
    >
      {list.error ? <ErrorNote error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isPending ? <Loading /> : null}
      {list.data ? (
        <Card flush>
          <DataTable
            label="Services"
            columns={columns}
            rows={list.data}
            idOf={(row) => `${row.name} ${row.type}`}
            maxHeight="60dvh"
            empty={<Empty icon="service" title="No process has told of itself" />}
          />
        </Card>
      ) : null}
      <Card title="This server">
        <Facts
          facts={[
            ["Version", session.version],
            ["Authentication", session.auth === "none" ? "none: this machine only" : session.auth],
            ["Project", session.project_id ?? "–"],
            [
              "Health",
              <a key="h" href="/healthcheck">
                healthcheck
              </a>,
            ],
            [
              "Metrics",
              <a key="m" href="/metrics">
                for Prometheus
              </a>,
            ],
            [
              "API",
              <a key="a" href="/docs">
                reference
              </a>,
            ],
          ]}
        />
      </Card>
    </Page>
  )
}
