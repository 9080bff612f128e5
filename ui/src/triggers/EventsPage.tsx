import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { Link } from "react-router"
import { api, parsed } from "~/api/client"
import type { EventTrigger } from "~/api/types"
import {
  Button,
  Card,
  CommandsButton,
  curlLine,
  DataTable,
  Empty,
  ErrorNote,
  FormDialog,
  Loading,
  Menu,
  Page,
  quoted,
  Time,
  toast,
  useMay,
  type Column,
} from "~/ui"
import { workflowChoices } from "./choices"
import { EventForm } from "./EventForm"
import "./triggers.css"

/** Workflows that start when somebody tells of an event. */
export function EventsPage() {
  const [edited, setEdited] = useState<EventTrigger | "new" | null>(null)
  const [doomed, setDoomed] = useState<EventTrigger | null>(null)
  const may = useMay()
  const list = useQuery({
    queryKey: ["events"],
    queryFn: async ({ signal }) =>
      (await api.get<{ event_triggers: EventTrigger[] }>("/v2/event_triggers", { sort_keys: "name" }, signal))
        .event_triggers,
  })
  const { data: workflows } = useQuery(workflowChoices)
  const nameOf = (id: string) => workflows?.find((one) => one.id === id)?.name ?? "Open the workflow"
  const columns: Column<EventTrigger>[] = [
    {
      key: "name",
      title: "Name",
      width: "minmax(110px, 1fr)",
      cell: (row) => <span className="strong">{row.name || "(no name)"}</span>,
    },
    {
      key: "event",
      title: "Event",
      width: "minmax(130px, 1.4fr)",
      cell: (row) => (
        <>
          <span className="soft">{`${row.exchange} / ${row.topic} / `}</span>
          {row.event}
        </>
      ),
    },
    {
      key: "workflow",
      title: "Workflow",
      width: "minmax(90px, 0.7fr)",
      isExtra: true,
      cell: (row) => <Link to={`/workflows/${row.workflow_id}`}>{nameOf(row.workflow_id)}</Link>,
    },
    {
      key: "input",
      title: "Input",
      width: "minmax(120px, 1.2fr)",
      isExtra: true,
      cell: (row) => <code className="soft">{JSON.stringify(parsed(row.workflow_input))}</code>,
    },
    { key: "created", title: "Created", width: "90px", isExtra: true, cell: (row) => <Time at={row.created_at} /> },
    {
      key: "menu",
      title: "Actions",
      width: "56px",
      align: "end",
      cell: (row) => (
        <Menu
          label={`Actions for ${row.name}`}
          items={[
            { label: "Edit …", icon: "edit", onSelect: () => setEdited(row), action: "event-trigger.update" },
            {
              label: "Delete …",
              icon: "trash",
              isDanger: true,
              onSelect: () => setDoomed(row),
              action: "event-trigger.delete",
            },
          ]}
        />
      ),
    },
  ]
  return (
    <Page
      title="Event triggers"
      note={
        <>
          Start a workflow for every event of a kind. Events come over HTTP (<code>POST /v2/events</code>), from NATS or
          RabbitMQ.
        </>
      }
      actions={
        <>
          <CommandsButton commands={{ cli: "ostro event-trigger list", curl: curlLine("GET", "/v2/event_triggers") }} />
          <Button kind="primary" icon="plus" action="event-trigger.create" onClick={() => setEdited("new")}>
            New event trigger
          </Button>
        </>
      }
    >
      {list.error ? <ErrorNote error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isPending ? <Loading /> : null}
      {list.data ? (
        <Card flush>
          <DataTable
            label="Event triggers"
            columns={columns}
            rows={list.data}
            idOf={(row) => row.id}
            {...(may("event-trigger.update") ? { onOpen: setEdited } : {})}
            maxHeight="calc(100dvh - 190px)"
            empty={
              <Empty icon="event" title="No workflow listens to events yet">
                A trigger names an exchange, a topic and an event, such as <code>shop / orders / order.paid</code>.
              </Empty>
            }
          />
        </Card>
      ) : null}
      {edited ? (
        <EventForm
          {...(edited === "new" ? {} : { trigger: edited })}
          onClose={() => setEdited(null)}
          onDone={() => void list.refetch()}
        />
      ) : null}
      {doomed ? (
        <FormDialog
          title={`Delete ${doomed.name}`}
          submit="Delete"
          icon="trash"
          action="event-trigger.delete"
          isDanger
          commands={{
            cli: `ostro event-trigger delete ${quoted(doomed.id)}`,
            curl: curlLine("DELETE", `/v2/event_triggers/${doomed.id}`),
          }}
          onSubmit={async () => {
            await api.delete(`/v2/event_triggers/${doomed.id}`)
            toast("The trigger is deleted.")
            await list.refetch()
          }}
          onClose={() => setDoomed(null)}
        >
          <p>
            Events <code>{`${doomed.exchange} / ${doomed.topic} / ${doomed.event}`}</code> will start nothing by it any
            more.
          </p>
        </FormDialog>
      ) : null}
    </Page>
  )
}
