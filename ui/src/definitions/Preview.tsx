/** The graph of the text while somebody types. A click on a task leads to its line; the cursor marks its task. */
import { lazy, Suspense, useCallback, useMemo, useState } from "react"
import { Empty, Loading, SelectField } from "~/ui"
import { boxId, type Part, type SceneBox } from "~/execution/graph/scene"
import { usePreview } from "./useDefinition"

const GraphView = lazy(() => import("~/execution/graph/GraphView"))
const NOTHING = new Map<string, never>()
const PART = "preview"

export function Preview({ text, line, onGo }: { text: string; line: number; onGo: (line: number) => void }) {
  const [workflow, setWorkflow] = useState<string | null>(null)
  const { data } = usePreview(text, workflow)
  // While a text cannot be read, which is most of the time when somebody types, the last graph stays.
  const [good, setGood] = useState(data)
  if (data?.nodes.length && data !== good) setGood(data)
  const graph = good?.nodes.length ? good : data
  const isStale = graph !== data
  const part = useMemo((): Part | null => (graph?.nodes.length ? { id: PART, graph, open: {} } : null), [graph])
  const current = graph?.nodes.filter((node) => node.line > 0 && node.line <= line).sort((a, b) => b.line - a.line)[0]
  const onSelect = useCallback(
    (box: SceneBox | null) => {
      if (box && box.node.line > 0) onGo(box.node.line)
    },
    [onGo],
  )
  const names = graph?.workflows ?? []
  const first = part?.graph.nodes[0]
  return (
    <div className={`edit-graph ${isStale ? "is-stale" : ""}`}>
      {isStale ? <p className="stale-note">The text cannot be read now: this is the graph as it was.</p> : null}
      {names.length > 1 ? (
        <SelectField
          label="Workflow"
          hideLabel
          options={names}
          value={graph?.name ?? ""}
          onChange={(event) => setWorkflow(event.target.value)}
        />
      ) : null}
      {part ? (
        <Suspense fallback={<Loading label="Loading the graph" />}>
          <GraphView
            part={part}
            nodes={NOTHING}
            edges={NOTHING}
            selected={current ? boxId(PART, current.name) : null}
            focus={first ? boxId(PART, first.name) : null}
            label={`Graph of ${part.graph.name}`}
            onSelect={onSelect}
          />
        </Suspense>
      ) : (
        <Empty icon="graph" title={graph ? "There is no graph to show yet" : "Reading the text"} />
      )}
    </div>
  )
}
