/** Reads a workflow or automation and asks for what it needs to start. */
import { useQuery } from "@tanstack/react-query"
import { api } from "~/api/client"
import type { Workflow } from "~/api/types"
import { Dialog, ErrorNote, Loading } from "~/ui"
import { inputsOf } from "./inputs"
import type { Kind } from "./kinds"
import { StartWith } from "./StartWith"

export function StartOne({ kind, id, onClose }: { kind: Kind; id: string; onClose: () => void }) {
  const isAutomation = kind === "automation"
  const { data, error } = useQuery({
    queryKey: ["definition", "start", kind, id],
    queryFn: () => api.get<Workflow & { uid?: string }>(isAutomation ? `/automation/v1/workflows/${id}` : `/v2/workflows/${id}`),
    staleTime: 0,
  })
  if (!data) {
    return (
      <Dialog title="Start" onClose={onClose}>
        {error ? <ErrorNote error={error} /> : <Loading />}
      </Dialog>
    )
  }
  const targets = isAutomation ? null : reverseTasks(data.definition)
  return (
    <StartWith
      title={`Start ${data.name}`}
      action={isAutomation ? "automation.run" : "execution.start"}
      workflow={{ id: data.uid ?? data.id, name: data.name }}
      inputs={isAutomation ? [] : inputsOf(data.interface)}
      {...(targets ? { targets } : {})}
      onClose={onClose}
    />
  )
}

/** Tasks of a reverse workflow, of which one must be named; null for others. Reads the text only as far as needed. */
function reverseTasks(definition: string): string[] | null {
  if (!/^\s+type:\s*['"]?reverse/m.test(definition)) return null
  const lines = definition.split("\n")
  const at = lines.findIndex((line) => /^\s+tasks:\s*$/.test(line))
  const depth = at < 0 ? -1 : (/^\s+/.exec(lines[at + 1] ?? "")?.[0].length ?? -1)
  if (depth < 0) return null
  const names: string[] = []
  for (const line of lines.slice(at + 1)) {
    const found = /^(\s*)([^\s#:][^:]*):/.exec(line)
    if (found && found[1]!.length < depth) break
    if (found && found[1]!.length === depth) names.push(found[2]!.trim())
  }
  return names.length ? names : null
}

