import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { api, parsed } from "~/api/client"
import type { Environment } from "~/api/types"
import {
  Button,
  Card,
  CommandsButton,
  curlLine,
  DataTable,
  Empty,
  ErrorNote,
  FormDialog,
  keyValues,
  Loading,
  Menu,
  Page,
  quoted,
  readObject,
  TextArea,
  TextField,
  Time,
  toast,
  useMay,
  type Column,
} from "~/ui"

/** Named variables that executions are started with. */
export function EnvironmentsPage() {
  const [edited, setEdited] = useState<Environment | "new" | null>(null)
  const [doomed, setDoomed] = useState<Environment | null>(null)
  const may = useMay()
  const list = useQuery({
    queryKey: ["environments"],
    queryFn: async ({ signal }) =>
      (await api.get<{ environments: Environment[] }>("/v2/environments", { sort_keys: "name" }, signal)).environments,
  })
  const columns: Column<Environment>[] = [
    {
      key: "name",
      title: "Name",
      width: "minmax(120px, 1fr)",
      cell: (row) => <span className="strong">{row.name}</span>,
    },
    {
      key: "variables",
      title: "Variables",
      width: "minmax(120px, 2fr)",
      cell: (row) => <span className="mono soft">{Object.keys(variablesOf(row)).join(", ") || "none"}</span>,
    },
    {
      key: "description",
      title: "Description",
      width: "minmax(120px, 1.5fr)",
      isExtra: true,
      cell: (row) => <span className="soft">{row.description}</span>,
    },
    {
      key: "changed",
      title: "Changed",
      width: "90px",
      isExtra: true,
      cell: (row) => <Time at={row.updated_at ?? row.created_at} />,
    },
    {
      key: "menu",
      title: "Actions",
      width: "56px",
      align: "end",
      cell: (row) => (
        <Menu
          label={`Actions for ${row.name}`}
          items={[
            { label: "Edit …", icon: "edit", onSelect: () => setEdited(row), action: "environment.update" },
            {
              label: "Delete …",
              icon: "trash",
              isDanger: true,
              onSelect: () => setDoomed(row),
              action: "environment.delete",
            },
          ]}
        />
      ),
    },
  ]
  return (
    <Page
      title="Environments"
      note={
        <>
          Variables for whole executions: <code>{"<% env().name %>"}</code> in a workflow, chosen by name at the start.
        </>
      }
      actions={
        <>
          <CommandsButton commands={{ cli: "ostro environment list", curl: curlLine("GET", "/v2/environments") }} />
          <Button kind="primary" icon="plus" action="environment.create" onClick={() => setEdited("new")}>
            New environment
          </Button>
        </>
      }
    >
      {list.error ? <ErrorNote error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isPending ? <Loading /> : null}
      {list.data ? (
        <Card flush>
          <DataTable
            label="Environments"
            columns={columns}
            rows={list.data}
            idOf={(row) => row.name}
            {...(may("environment.update") ? { onOpen: setEdited } : {})}
            maxHeight="calc(100dvh - 190px)"
            empty={
              <Empty icon="environment" title="There is no environment yet">
                Keep addresses and sizes that differ between test and production in one.
              </Empty>
            }
          />
        </Card>
      ) : null}
      {edited ? (
        <EnvironmentForm
          {...(edited === "new" ? {} : { environment: edited })}
          onClose={() => setEdited(null)}
          onDone={() => void list.refetch()}
        />
      ) : null}
      {doomed ? (
        <FormDialog
          title={`Delete ${doomed.name}`}
          submit="Delete"
          icon="trash"
          action="environment.delete"
          isDanger
          commands={{
            cli: `ostro environment delete ${quoted(doomed.name)}`,
            curl: curlLine("DELETE", `/v2/environments/${encodeURIComponent(doomed.name)}`),
          }}
          onSubmit={async () => {
            await api.delete(`/v2/environments/${encodeURIComponent(doomed.name)}`)
            toast(`${doomed.name} is deleted.`)
            await list.refetch()
          }}
          onClose={() => setDoomed(null)}
        >
          <p>Executions that run keep the variables they were started with.</p>
        </FormDialog>
      ) : null}
    </Page>
  )
}

function variablesOf(row: Environment): Record<string, unknown> {
  const value = parsed(row.variables)
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
}

function EnvironmentForm({
  environment,
  onClose,
  onDone,
}: {
  environment?: Environment
  onClose: () => void
  onDone: () => void
}) {
  const [name, setName] = useState(environment?.name ?? "")
  const [description, setDescription] = useState(environment?.description ?? "")
  const [text, setText] = useState(environment ? JSON.stringify(variablesOf(environment), null, 2) : "")
  const variables = readObject(text)
  const body = { name, description, variables: variables.value ?? {} }
  const method = environment ? "PUT" : "POST"
  return (
    <FormDialog
      title={environment ? `Edit ${environment.name}` : "New environment"}
      {...(environment
        ? { submit: "Save", action: "environment.update" }
        : { submit: "Create", action: "environment.create" })}
      wide
      isReady={name !== "" && variables.error === null}
      commands={{
        cli:
          `ostro environment ${environment ? "update" : "create"} ${quoted(name || "NAME")}` +
          keyValues("-e", variables.value ?? {}) +
          (environment ? " --replace" : "") +
          (description ? ` --description ${quoted(description)}` : ""),
        curl: curlLine(method, "/v2/environments", body),
      }}
      onSubmit={async () => {
        await (environment ? api.put("/v2/environments", body) : api.post("/v2/environments", body))
        toast(`${name} is saved.`)
        onDone()
      }}
      onClose={onClose}
    >
      <div className="form-row">
        <TextField
          label="Name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          disabled={environment !== undefined}
          autoFocus={environment === undefined}
          required
        />
        <TextField label="Description" value={description} onChange={(event) => setDescription(event.target.value)} />
      </div>
      <TextArea
        label="Variables"
        rows={10}
        value={text}
        placeholder='{"region": "eu", "retries": 3}'
        onChange={(event) => setText(event.target.value)}
        error={variables.error}
        hint="JSON"
      />
    </FormDialog>
  )
}
