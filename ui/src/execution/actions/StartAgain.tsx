/** Starts the same workflow once more, with the input and environment of this execution to begin with. */
import { useQuery } from "@tanstack/react-query"
import { isRecord, parsed } from "~/api/client"
import type { Execution } from "~/api/types"
import { StartDialog } from "~/definitions/StartDialog"
import { Dialog, ErrorNote, Loading } from "~/ui"
import { graphQuery } from "../data"

export function StartAgain({ execution, onClose }: { execution: Execution; onClose: () => void }) {
  const { id, workflow_id, workflow_name, input, params } = execution
  const graph = useQuery(graphQuery(id))
  if (!graph.data) {
    return (
      <Dialog title="Start again" onClose={onClose}>
        {graph.error ? <ErrorNote error={graph.error} /> : <Loading />}
      </Dialog>
    )
  }
  const values = parsed(input)
  const given = parsed(params)
  const env = isRecord(given) ? given["env"] : undefined
  const target = isRecord(given) ? given["task_name"] : undefined
  return (
    <StartDialog
      title={`Start ${workflow_name} again`}
      action="execution.start-again"
      workflow={{ id: workflow_id, name: workflow_name }}
      inputs={graph.data.input}
      values={isRecord(values) ? values : {}}
      {...(isRecord(env) ? { env } : {})}
      {...(graph.data.type === "reverse" ? { targets: graph.data.nodes.map((node) => node.name) } : {})}
      {...(typeof target === "string" ? { target } : {})}
      onClose={onClose}
    />
  )
}
