import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { api } from "~/api/client"
import type { Workflow } from "~/api/types"
import { StartDialog } from "~/definitions/StartDialog"
import type { Input } from "~/definitions/fields"
import { ButtonLink, Dialog, Empty, ErrorNote, Icon, Loading, TextField } from "~/ui"

type Choice = Pick<Workflow, "id" | "name" | "namespace">

interface Graph {
  type: string | null
  input: Input[]
  nodes: { name: string }[]
}

const MOST = 200

/** Asks which workflow to start, unless `workflow` names one, then for its input. */
export function StartWorkflow({ workflow, onClose }: { workflow?: string; onClose: () => void }) {
  const [chosen, setChosen] = useState<string | null>(workflow ?? null)
  return chosen === null ? (
    <Picker onPick={setChosen} onClose={onClose} />
  ) : (
    <Chosen workflow={chosen} onClose={onClose} />
  )
}

function Picker({ onPick, onClose }: { onPick: (id: string) => void; onClose: () => void }) {
  const [text, setText] = useState("")
  const choices = useQuery({
    queryKey: ["workflow-choices", text],
    queryFn: async ({ signal }) => {
      const query = { fields: "id,name,namespace", limit: MOST, sort_keys: "name", name: text ? `has:${text}` : "" }
      return (await api.get<{ workflows: Choice[] }>("/v2/workflows", query, signal)).workflows
    },
    placeholderData: (before) => before,
  })
  const rows = choices.data ?? []
  return (
    <Dialog title="Start a workflow" onClose={onClose}>
      <TextField
        label="Find a workflow"
        hideLabel
        type="search"
        placeholder="Find a workflow"
        autoFocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && rows[0]) onPick(rows[0].id)
        }}
      />
      {choices.error ? <ErrorNote error={choices.error} onRetry={() => void choices.refetch()} /> : null}
      {choices.isPending ? <Loading /> : null}
      {choices.data && rows.length === 0 ? (
        <Empty icon="workflow" title={text ? "No workflow has such a name" : "There is no workflow yet"}>
          <ButtonLink to="/workflows/new" action="workflow.create">
            Write one
          </ButtonLink>
        </Empty>
      ) : null}
      <ul className="choices">
        {rows.map((choice) => (
          <li key={choice.id}>
            <button type="button" className="choice" onClick={() => onPick(choice.id)}>
              <Icon name="workflow" size={14} />
              <span className="grow ellipsis">{choice.name}</span>
              {choice.namespace ? <span className="tag">{choice.namespace}</span> : null}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

function Chosen({ workflow, onClose }: { workflow: string; onClose: () => void }) {
  const found = useQuery({
    queryKey: ["workflow-start", workflow],
    queryFn: async ({ signal }) => {
      const row = await api.get<Workflow>(`/v2/workflows/${encodeURIComponent(workflow)}`, {}, signal)
      const graph = await api.post<Graph>("/v2/graph", {
        definition: row.definition,
        workflow: row.name.split(".").at(-1),
      })
      return { row, graph }
    },
    gcTime: 0,
  })
  if (!found.data) {
    return (
      <Dialog title="Start a workflow" onClose={onClose}>
        {found.error ? <ErrorNote error={found.error} onRetry={() => void found.refetch()} /> : <Loading />}
      </Dialog>
    )
  }
  const { row, graph } = found.data
  return (
    <StartDialog
      title={`Start ${row.name}`}
      workflow={row}
      inputs={graph.input}
      {...(graph.type === "reverse" ? { targets: graph.nodes.map((node) => node.name) } : {})}
      action="execution.start"
      onClose={onClose}
    />
  )
}
