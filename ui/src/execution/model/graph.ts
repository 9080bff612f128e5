/** The graph of a definition, and the same with what an execution has done so far. */
import type { Clause, Graph, GraphEdge, GraphNode, Task } from "../types"
import { byName, contextOf, isFinished, retriesOf } from "./tasks"

export interface NodeView {
  name: string
  node: GraphNode
  /** Runs of the task, oldest first: more than one in a loop. */
  runs: Task[]
  /** Of the latest run; null if it has not begun. */
  state: string | null
  /** An error that a transition took care of. */
  isHandled: boolean
  items: number | null
  retries: number
}

export interface EdgeView {
  id: string
  edge: GraphEdge
  /** How often it was taken; null: cannot be told. */
  taken: number | null
  /** The task it starts from has finished, and it was not taken. */
  isPassed: boolean
}

export interface GraphView {
  nodes: NodeView[]
  edges: EdgeView[]
}

export const edgeId = (edge: GraphEdge, index: number): string => `${index}:${edge.from}>${edge.to}`

const COMMAND_STATES: Record<string, string> = { fail: "ERROR", succeed: "SUCCESS", pause: "PAUSED" }

/** What a person sees of the graph. `state`: of the execution, to tell which command ended it. */
export function viewOf(graph: Graph, tasks: readonly Task[], state: string | null): GraphView {
  const runs = byName(tasks)
  const names = new Map(tasks.map((task) => [task.id, task.name]))
  const taken = takenLines(tasks, names)
  const edges = graph.edges.map((edge, i): EdgeView => {
    const from = runs.get(edge.from)?.at(-1)
    const isOver = from !== undefined && isFinished(from.state)
    const to = runs.get(edge.to)?.at(-1)
    const count = countOf(graph, edge, taken, from, to, state)
    return { id: edgeId(edge, i), edge, taken: count, isPassed: isOver && count === 0 }
  })
  const handled = new Set(edges.filter((e) => e.taken && e.edge.clause !== "on-success").map((e) => e.edge.from))
  const nodes = graph.nodes.map((node): NodeView => {
    const own = runs.get(node.name) ?? []
    const last = own.at(-1)
    return {
      name: node.name,
      node,
      runs: own,
      state: last?.state ?? null,
      isHandled: last?.state === "ERROR" && handled.has(node.name),
      items: last ? (contextOf(last).with_items?.count ?? null) : null,
      retries: last ? retriesOf(last) : 0,
    }
  })
  return { nodes, edges }
}

const lineKey = (from: string, clause: string, to: string): string => `${from}\u0000${clause}\u0000${to}`

function takenLines(tasks: readonly Task[], names: Map<string, string>): Map<string, number> {
  const taken = new Map<string, number>()
  for (const task of tasks) {
    for (const { task_id, event } of contextOf(task).triggered_by ?? []) {
      const from = names.get(task_id)
      if (from === undefined) continue
      const key = lineKey(from, event, task.name)
      taken.set(key, (taken.get(key) ?? 0) + 1)
    }
  }
  return taken
}

function countOf(
  graph: Graph,
  edge: GraphEdge,
  taken: Map<string, number>,
  from: Task | undefined,
  to: Task | undefined,
  state: string | null,
): number | null {
  if (edge.clause === "requires") return from ? (from.state === "SUCCESS" ? 1 : 0) : 0
  const count = taken.get(lineKey(edge.from, edge.clause, edge.to))
  if (count !== undefined) return count
  const command = COMMAND_STATES[commandOf(edge.to)]
  if (!from || !isFinished(from.state) || !fits(edge.clause, from.state)) return 0
  // A join tells what led to it only when it begins.
  if (to?.state === "WAITING") return edge.condition ? null : 1
  if (commandOf(edge.to) === "noop") return edge.condition ? null : 1
  if (command === undefined || graph.nodes.some((n) => n.name === edge.to && n.kind !== "command")) return 0
  return edge.condition ? (state === command ? 1 : 0) : 1
}

/** `fail` of `fail`, `fail#2` or `fail(msg=x)`. */
const commandOf = (name: string): string => /^[a-z]+/.exec(name)?.[0] ?? name

function fits(clause: Clause, state: string): boolean {
  if (clause === "on-complete") return state !== "SKIPPED"
  return clause === { SUCCESS: "on-success", ERROR: "on-error", SKIPPED: "on-skip" }[state]
}

/** The same view, with the parts that have not changed taken from the former one, so that they are not drawn again. */
export function reuse(former: GraphView | undefined, next: GraphView): GraphView {
  if (!former || former.nodes.length !== next.nodes.length || former.edges.length !== next.edges.length) return next
  return {
    nodes: next.nodes.map((node, i) => (isSameNode(former.nodes[i]!, node) ? former.nodes[i]! : node)),
    edges: next.edges.map((edge, i) => {
      const old = former.edges[i]!
      return old.edge === edge.edge && old.taken === edge.taken && old.isPassed === edge.isPassed ? old : edge
    }),
  }
}

const isSameNode = (a: NodeView, b: NodeView): boolean =>
  a.node === b.node &&
  a.isHandled === b.isHandled &&
  a.runs.length === b.runs.length &&
  a.runs.every((run, i) => run === b.runs[i])

/** Where to look first: what failed, else what goes on, else where it begins. */
export function focusOf(view: GraphView): string | null {
  const failed = view.nodes.find((n) => n.state === "ERROR" && !n.isHandled)
  const running = view.nodes.find((n) => n.state !== null && !isFinished(n.state) && n.state !== "WAITING")
  const waiting = view.nodes.find((n) => n.state === "WAITING")
  return (failed ?? running ?? waiting ?? view.nodes[0])?.name ?? null
}
