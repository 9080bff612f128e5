import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { api, ApiError } from "~/api/client"
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
  Note,
  Page,
  quoted,
  TextField,
  Time,
  toast,
  type Column,
} from "~/ui"

interface Secret {
  name: string
  created_at: string
  updated_at: string | null
}

/** Values that only actions see: they can be set here, never read. */
export function SecretsPage() {
  const [edited, setEdited] = useState<Secret | "new" | null>(null)
  const [doomed, setDoomed] = useState<Secret | null>(null)
  const list = useQuery({
    queryKey: ["secrets"],
    queryFn: async ({ signal }) => (await api.get<{ secrets: Secret[] }>("/v2/secrets", {}, signal)).secrets,
  })
  const isKeyMissing = list.error instanceof ApiError && list.error.status === 400
  const columns: Column<Secret>[] = [
    {
      key: "name",
      title: "Name",
      width: "minmax(140px, 1fr)",
      cell: (row) => <code className="strong">{row.name}</code>,
    },
    {
      key: "use",
      title: "In a workflow",
      width: "minmax(140px, 1fr)",
      isExtra: true,
      cell: (row) => <code className="soft">{`<% secret(${row.name}) %>`}</code>,
    },
    { key: "changed", title: "Changed", width: "100px", cell: (row) => <Time at={row.updated_at ?? row.created_at} /> },
    {
      key: "menu",
      title: "Actions",
      width: "56px",
      align: "end",
      cell: (row) => (
        <Menu
          label={`Actions for ${row.name}`}
          items={[
            { label: "New value …", icon: "edit", onSelect: () => setEdited(row), action: "secret.set" },
            {
              label: "Delete …",
              icon: "trash",
              isDanger: true,
              onSelect: () => setDoomed(row),
              action: "secret.delete",
            },
          ]}
        />
      ),
    },
  ]
  return (
    <Page
      title="Secrets"
      note="Passwords and keys for actions. A value can be set, not read: neither here nor by the API, in logs or in results."
      actions={
        <>
          <CommandsButton commands={{ cli: "ostro secret list", curl: curlLine("GET", "/v2/secrets") }} />
          {isKeyMissing ? null : (
            <Button kind="primary" icon="plus" action="secret.set" onClick={() => setEdited("new")}>
              New secret
            </Button>
          )}
        </>
      }
    >
      {isKeyMissing ? (
        <Note tone="paused" icon="secret">
          <p className="strong">This server has no key for secrets</p>
          <p>
            Make one with <code>ostro secret key</code>, and start the server with <code>--secret-key-file FILE</code>.
          </p>
          <p className="soft">{list.error?.message}</p>
        </Note>
      ) : list.error ? (
        <ErrorNote error={list.error} onRetry={() => void list.refetch()} />
      ) : null}
      {list.isPending ? <Loading /> : null}
      {list.data ? (
        <Card flush>
          <DataTable
            label="Secrets"
            columns={columns}
            rows={list.data}
            idOf={(row) => row.name}
            maxHeight="calc(100dvh - 190px)"
            empty={
              <Empty icon="secret" title="There is no secret yet">
                An action takes one by its name: <code>{"<% secret(smtp_password) %>"}</code> in its input.
              </Empty>
            }
          />
        </Card>
      ) : null}
      {edited ? (
        <SecretForm
          {...(edited === "new" ? {} : { name: edited.name })}
          onClose={() => setEdited(null)}
          onDone={() => void list.refetch()}
        />
      ) : null}
      {doomed ? (
        <FormDialog
          title={`Delete ${doomed.name}`}
          submit="Delete"
          icon="trash"
          action="secret.delete"
          isDanger
          commands={{
            cli: `ostro secret delete ${quoted(doomed.name)}`,
            curl: curlLine("DELETE", `/v2/secrets/${encodeURIComponent(doomed.name)}`),
          }}
          onSubmit={async () => {
            await api.delete(`/v2/secrets/${encodeURIComponent(doomed.name)}`)
            toast(`${doomed.name} is deleted.`)
            await list.refetch()
          }}
          onClose={() => setDoomed(null)}
        >
          <p>Tasks whose input names it will fail.</p>
        </FormDialog>
      ) : null}
    </Page>
  )
}

function SecretForm({ name: known, onClose, onDone }: { name?: string; onClose: () => void; onDone: () => void }) {
  const [name, setName] = useState(known ?? "")
  const [value, setValue] = useState("")
  const isShort = value !== "" && value.length < 4
  return (
    <FormDialog
      title={known ? `New value for ${known}` : "New secret"}
      submit="Save"
      action="secret.set"
      isReady={name !== "" && value.length >= 4}
      commands={{
        cli: `ostro secret set ${quoted(name || "NAME")}`,
        curl: curlLine("PUT", `/v2/secrets/${encodeURIComponent(name || "NAME")}`, { value: "…" }),
      }}
      onSubmit={async () => {
        await api.put(`/v2/secrets/${encodeURIComponent(name)}`, { value })
        toast(`${name} is saved.`)
        onDone()
      }}
      onClose={onClose}
    >
      {known ? null : (
        <TextField label="Name" value={name} onChange={(event) => setName(event.target.value)} required autoFocus />
      )}
      <TextField
        label="Value"
        type="password"
        autoComplete="new-password"
        value={value}
        onChange={(event) => setValue(event.target.value)}
        error={isShort ? "At least 4 characters." : null}
        hint="It is sealed by the server's key and never shown again."
        required
      />
    </FormDialog>
  )
}
