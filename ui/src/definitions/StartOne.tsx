/** Reads a workflow or automation and asks for what it needs to start. */
import { useQuery } from "@tanstack/react-query"
import { api } from "~/api/client"
import type { Graph } from "~/execution/types"
import { Dialog, ErrorNote, Loading } from "~/ui"
import type { Kind } from "./kinds"
import { StartDialog } from "./StartDialog"

interface Startable {
  id?: string
  uid?: string
  name: string
  definition: string
}

export function StartOne({ kind, id, onClose }: { kind: Kind; id: string; onClose: () => void }) {
  const isAutomation = kind === "automation"
  const { data, error } = useQuery({
    queryKey: ["definition", "start", kind, id],
    queryFn: async () => {
      const row = await api.get<Startable>(`${isAutomation ? "/automation/v1" : "/v2"}/workflows/${id}`)
      const graph = isAutomation ? null : await api.post<Graph>("/v2/graph", { definition: row.definition })
      return { row, graph }
    },
    gcTime: 0,
  })
  if (!data) {
    return (
      <Dialog title="Start" onClose={onClose}>
        {error ? <ErrorNote error={error} /> : <Loading />}
      </Dialog>
    )
  }
  const { row, graph } = data
  return (
    <StartDialog
      title={`Start ${row.name}`}
      action={isAutomation ? "automation.run" : "execution.start"}
      workflow={{ id: row.uid ?? row.id ?? id, name: row.name }}
      inputs={graph?.input ?? []}
      {...(graph?.type === "reverse" ? { targets: graph.nodes.map((node) => node.name) } : {})}
      onClose={onClose}
    />
  )
}
