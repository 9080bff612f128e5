/** Layout by elk, in a worker of its own that is started when it is needed first. */
import ELK, { type ElkExtendedEdge, type ElkNode } from "elkjs/lib/elk-api.js"
import workerUrl from "elkjs/lib/elk-worker.min.js?url"
import type { LayoutInput, LayoutResult, Point } from "./types"

let elk: InstanceType<typeof ELK> | undefined

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.spacing.nodeNode": "36",
  "elk.spacing.edgeNode": "20",
  "elk.spacing.edgeEdge": "14",
  "elk.layered.spacing.nodeNodeBetweenLayers": "44",
  "elk.layered.spacing.edgeNodeBetweenLayers": "18",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.edgeLabels.inline": "true",
  "elk.padding": "[top=0,left=0,bottom=0,right=0]",
}

export async function byElk({ boxes, lines, direction }: LayoutInput): Promise<LayoutResult> {
  elk ??= new ELK({ workerFactory: () => new Worker(workerUrl) })
  const known = new Set(boxes.map((box) => box.id))
  const laid = await elk.layout({
    id: "graph",
    layoutOptions: { ...OPTIONS, "elk.direction": direction === "down" ? "DOWN" : "RIGHT" },
    children: boxes.map(({ id, width, height }) => ({ id, width, height })),
    edges: lines
      .filter((line) => known.has(line.from) && known.has(line.to))
      .map((line): ElkExtendedEdge => ({
        id: line.id,
        sources: [line.from],
        targets: [line.to],
        ...(line.label ? { labels: [{ id: `${line.id}#`, text: " ", ...line.label }] } : {}),
      })),
  })
  return resultOf(laid)
}

function resultOf(laid: ElkNode): LayoutResult {
  const at: Record<string, Point> = {}
  const routes: Record<string, Point[]> = {}
  const labels: Record<string, Point> = {}
  for (const node of laid.children ?? []) at[node.id] = { x: node.x ?? 0, y: node.y ?? 0 }
  for (const edge of laid.edges ?? []) {
    const section = edge.sections?.[0]
    if (section) routes[edge.id] = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint]
    const label = edge.labels?.[0]
    if (label)
      labels[edge.id] = { x: (label.x ?? 0) + (label.width ?? 0) / 2, y: (label.y ?? 0) + (label.height ?? 0) / 2 }
  }
  return { at, routes, labels, width: laid.width ?? 0, height: laid.height ?? 0 }
}
