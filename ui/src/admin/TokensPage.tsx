import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { api } from "~/api/client"
import {
  Button,
  Card,
  CommandsButton,
  CopyButton,
  curlLine,
  DataTable,
  Dialog,
  Empty,
  ErrorNote,
  FormDialog,
  Icon,
  Loading,
  Menu,
  Note,
  Page,
  quoted,
  SelectField,
  TextField,
  Time,
  toast,
  type Column,
} from "~/ui"

interface Token {
  id: string
  project_id: string
  user_id: string
  roles: string[]
  description: string
  state: "valid" | "expired" | "revoked"
  created_at: string
  expires_at: string | null
  revoked_at: string | null
  token?: string
}

const EXPIRES: readonly (readonly [string, string])[] = [
  ["1d", "in a day"],
  ["30d", "in 30 days"],
  ["90d", "in 90 days"],
  ["1y", "in a year"],
  ["never", "never"],
]

/** Tokens of all projects, for administrators. */
export function TokensPage() {
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<Token | null>(null)
  const [doomed, setDoomed] = useState<Token | null>(null)
  const list = useQuery({
    queryKey: ["tokens"],
    queryFn: async ({ signal }) => (await api.get<{ tokens: Token[] }>("/v2/tokens", {}, signal)).tokens,
  })
  const columns: Column<Token>[] = [
    {
      key: "project",
      title: "Project",
      width: "minmax(110px, 1fr)",
      cell: (row) => <span className="strong">{row.project_id}</span>,
    },
    {
      key: "user",
      title: "User",
      width: "minmax(100px, 1fr)",
      cell: (row) => (
        <>
          {row.user_id}{" "}
          {row.roles.map((role) => (
            <span key={role} className="tag">
              {role}
            </span>
          ))}
        </>
      ),
    },
    {
      key: "description",
      title: "For",
      width: "minmax(110px, 1.4fr)",
      isExtra: true,
      cell: (row) => <span className="soft">{row.description}</span>,
    },
    { key: "id", title: "Id", width: "110px", isExtra: true, cell: (row) => <code className="soft">{row.id}</code> },
    {
      key: "state",
      title: "State",
      width: "100px",
      cell: (row) => (
        <span className={`state ${row.state === "valid" ? "success" : "idle"}`}>
          <Icon name={row.state === "valid" ? "check" : "stop"} size={13} /> {row.state}
        </span>
      ),
    },
    {
      key: "expires",
      title: "Ends",
      width: "100px",
      isExtra: true,
      cell: (row) => <Time at={row.revoked_at ?? row.expires_at} fallback="never" />,
    },
    {
      key: "menu",
      title: "Actions",
      width: "56px",
      align: "end",
      cell: (row) =>
        row.state === "valid" ? (
          <Menu
            label={`Actions for the token of ${row.user_id}`}
            items={[
              {
                label: "Revoke …",
                icon: "trash",
                isDanger: true,
                onSelect: () => setDoomed(row),
                action: "token.revoke",
              },
            ]}
          />
        ) : null,
    },
  ]
  return (
    <Page
      title="Tokens and projects"
      note="Who may call, and in which project. A project is there as soon as a token names it."
      actions={
        <>
          <CommandsButton commands={{ cli: "ostro token list", curl: curlLine("GET", "/v2/tokens") }} />
          <Button kind="primary" icon="plus" action="token.create" onClick={() => setMaking(true)}>
            New token
          </Button>
        </>
      }
    >
      {list.error ? <ErrorNote error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isPending ? <Loading /> : null}
      {list.data ? (
        <Card flush>
          <DataTable
            label="Tokens"
            columns={columns}
            rows={list.data}
            idOf={(row) => row.id}
            maxHeight="calc(100dvh - 190px)"
            empty={<Empty icon="token" title="There is no token" />}
          />
        </Card>
      ) : null}
      {isMaking ? (
        <TokenForm
          onClose={() => setMaking(false)}
          onDone={(token) => {
            setMade(token)
            void list.refetch()
          }}
        />
      ) : null}
      {made?.token ? (
        <Dialog title="The new token" onClose={() => setMade(null)}>
          <Note tone="paused" icon="warning">
            Copy it now: it cannot be shown again.
          </Note>
          <div className="command">
            <code className="command-text" data-token="">
              {made.token}
            </code>
            <CopyButton text={made.token} label="Copy the token" />
          </div>
        </Dialog>
      ) : null}
      {doomed ? (
        <FormDialog
          title="Revoke this token"
          submit="Revoke"
          icon="trash"
          action="token.revoke"
          isDanger
          commands={{ cli: `ostro token revoke ${doomed.id}`, curl: curlLine("DELETE", `/v2/tokens/${doomed.id}`) }}
          onSubmit={async () => {
            await api.delete(`/v2/tokens/${doomed.id}`)
            toast("The token is revoked.")
            await list.refetch()
          }}
          onClose={() => setDoomed(null)}
        >
          <p>
            Whoever uses it as <span className="strong">{doomed.user_id}</span> in{" "}
            <span className="strong">{doomed.project_id}</span> is refused within ten seconds.
          </p>
        </FormDialog>
      ) : null}
    </Page>
  )
}

function TokenForm({ onClose, onDone }: { onClose: () => void; onDone: (token: Token) => void }) {
  const [project, setProject] = useState("")
  const [user, setUser] = useState("")
  const [isAdmin, setAdmin] = useState("no")
  const [expires, setExpires] = useState("90d")
  const [description, setDescription] = useState("")
  const roles = isAdmin === "yes" ? ["admin"] : []
  const body = { project_id: project, user_id: user, roles, expires, description }
  const options = [
    `--project ${quoted(project || "PROJECT")}`,
    user ? `--user ${quoted(user)}` : "",
    isAdmin === "yes" ? "--role admin" : "",
    `--expires ${expires}`,
    description ? `--description ${quoted(description)}` : "",
  ]
  return (
    <FormDialog
      title="New token"
      submit="Create"
      action="token.create"
      isReady={project !== "" && user !== ""}
      commands={{
        cli: `ostro token create ${options.filter((option) => option !== "").join(" ")}`,
        curl: curlLine("POST", "/v2/tokens", body),
      }}
      onSubmit={async () => onDone(await api.post<Token>("/v2/tokens", body))}
      onClose={onClose}
    >
      <div className="form-row">
        <TextField
          label="Project"
          value={project}
          onChange={(event) => setProject(event.target.value)}
          required
          autoFocus
        />
        <TextField label="User" value={user} onChange={(event) => setUser(event.target.value)} required />
      </div>
      <div className="form-row">
        <SelectField
          label="Rights"
          options={[
            ["no", "those of the project"],
            ["yes", "administrator: all projects"],
          ]}
          value={isAdmin}
          onChange={(event) => setAdmin(event.target.value)}
        />
        <SelectField
          label="It ends"
          options={EXPIRES}
          value={expires}
          onChange={(event) => setExpires(event.target.value)}
        />
      </div>
      <TextField label="What is it for?" value={description} onChange={(event) => setDescription(event.target.value)} />
    </FormDialog>
  )
}
