/** The graph of an execution with live states; sub-workflows open in place. */
import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query"
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react"
import { Empty, ErrorNote, Loading, toastError } from "~/ui"
import { childrenQuery, executionQuery, graphQuery, tasksQuery, type Child } from "../data"
import { useExecution } from "../ExecutionPage"
import { boxId, type Part, type SceneBox } from "../graph/scene"
import { edgeId, focusOf, reuse, viewOf, type EdgeView, type GraphView as View, type NodeView } from "../model/graph"
import { byName, rankOf } from "../model/tasks"
import { pathTo } from "../model/reveal"
import type { Graph, Task } from "../types"

const load = () => import("../graph/GraphView")
const GraphView = lazy(load)
void load() // on its way while the graph is read

/** A sub-execution that is open in the place of its task; `siblings`: of a with-items task. */
interface Opened {
  executionId: string
  siblings: readonly Child[]
}

export function GraphTab() {
  const { execution, taskId, select } = useExecution()
  const client = useQueryClient()
  const graph = useQuery(graphQuery(execution.id))
  const tasks = useQuery(tasksQuery(execution.id))
  const [open, setOpen] = useState<ReadonlyMap<string, Opened>>(new Map())
  const ids = useMemo(() => [...new Set([...open.values()].map((one) => one.executionId))], [open])
  const graphs = useSteady(useQueries({ queries: ids.map(graphQuery) }).map((query) => query.data))
  const lists = useSteady(useQueries({ queries: ids.map(tasksQuery) }).map((query) => query.data))
  const executions = useSteady(useQueries({ queries: ids.map(executionQuery) }).map((query) => query.data?.state))

  const part = useMemo(
    () => (graph.data ? partOf(execution.id, graph.data, open, new Map(ids.map((id, i) => [id, graphs[i]]))) : null),
    [execution.id, graph.data, open, ids, graphs],
  )
  const known = useMemo(
    () =>
      new Map<string, Task[] | undefined>([[execution.id, tasks.data], ...ids.map((id, i) => [id, lists[i]] as const)]),
    [execution.id, tasks.data, ids, lists],
  )
  const states = useMemo(
    () => new Map([[execution.id, execution.state], ...ids.map((id, i) => [id, executions[i] ?? "RUNNING"] as const)]),
    [execution, ids, executions],
  )
  const { nodes, edges, focus } = useViews(part, known, states)
  const selected = useMemo(() => selectedBox(taskId, known), [taskId, known])

  const onSelect = useCallback(
    (box: SceneBox | null) =>
      select(
        box === null
          ? null
          : (byName(known.get(box.partId) ?? [])
              .get(box.name)
              ?.at(-1)?.id ?? null),
      ),
    [select, known],
  )
  const selectLatest = useLatest(onSelect)
  const knownLatest = useLatest(known)
  const onToggle = useCallback(
    (box: SceneBox) => {
      const task = byName(knownLatest.current.get(box.partId) ?? [])
        .get(box.name)
        ?.at(-1)
      const without = (old: ReadonlyMap<string, Opened>) => new Map([...old].filter(([id]) => id !== box.id))
      if (box.isGroup || !task) return setOpen(without)
      client.fetchQuery({ ...childrenQuery(task.id), staleTime: 0 }).then((siblings) => {
        const first = [...siblings].sort((a, b) => rankOf(a.state) - rankOf(b.state))[0]
        if (first) setOpen((old) => new Map(old).set(box.id, { executionId: first.id, siblings }))
      }, toastError)
    },
    [client, knownLatest],
  )
  const onStep = useCallback((box: SceneBox, by: number) => {
    setOpen((old) => {
      const opened = old.get(box.id)
      if (!opened) return old
      const { siblings } = opened
      const at = siblings.findIndex((one) => one.id === opened.executionId)
      const next = siblings[(at + by + siblings.length) % siblings.length]
      return next ? new Map(old).set(box.id, { executionId: next.id, siblings }) : old
    })
  }, [])
  const steadySelect = useCallback((box: SceneBox | null) => selectLatest.current(box), [selectLatest])

  // A task of a sub-execution was chosen elsewhere: open the way to it.
  useEffect(() => {
    if (!taskId || selected !== null || !tasks.data) return
    let isCurrent = true
    pathTo(client, taskId, execution.id).then(
      (path) => {
        if (!isCurrent || path.length === 0) return
        setOpen(
          (old) =>
            new Map([
              ...old,
              ...path.map(
                ({ executionId, name, childId }) =>
                  [boxId(executionId, name), { executionId: childId, siblings: [] }] as const,
              ),
            ]),
        )
      },
      () => undefined, // its details are shown all the same
    )
    return () => {
      isCurrent = false
    }
  }, [taskId, selected, tasks.data, client, execution.id])

  if (graph.error) return <ErrorNote error={graph.error} onRetry={() => void graph.refetch()} />
  if (!part || !tasks.data)
    return tasks.error ? (
      <ErrorNote error={tasks.error} onRetry={() => void tasks.refetch()} />
    ) : (
      <Loading label="Reading the graph" />
    )
  if (part.graph.nodes.length === 0)
    return <Empty title="There is no graph to show">{part.graph.errors[0]?.message}</Empty>
  return (
    <Suspense fallback={<Loading label="Loading the graph" />}>
      <GraphView
        part={part}
        nodes={nodes}
        edges={edges}
        selected={selected}
        focus={focus}
        isLive
        label={`Graph of ${execution.workflow_name}: arrow keys walk, Enter opens`}
        onSelect={steadySelect}
        onToggle={onToggle}
        onStep={onStep}
      />
    </Suspense>
  )
}

function useLatest<T>(value: T) {
  const latest = useRef(value)
  useEffect(() => {
    latest.current = value
  })
  return latest
}

/** The same list as before while its entries are the same. */
function useSteady<T>(list: T[]): T[] {
  const [steady, setSteady] = useState(list)
  if (steady.length === list.length && steady.every((one, i) => one === list[i])) return steady
  setSteady(list)
  return list
}

function partOf(
  id: string,
  graph: Graph,
  open: ReadonlyMap<string, Opened>,
  graphs: ReadonlyMap<string, Graph | undefined>,
): Part {
  const inside: Record<string, Part> = {}
  for (const node of graph.nodes) {
    const opened = open.get(boxId(id, node.name))
    const inner = opened && graphs.get(opened.executionId)
    if (!inner) continue
    const { executionId, siblings } = opened
    inside[node.name] = {
      ...partOf(executionId, inner, open, graphs),
      ...(siblings.length > 1
        ? { place: { index: siblings.findIndex((one) => one.id === executionId), total: siblings.length } }
        : {}),
    }
  }
  return { id, graph, open: inside }
}

function* partsOf(part: Part): Generator<Part> {
  yield part
  for (const inner of Object.values(part.open)) yield* partsOf(inner)
}

function useViews(
  part: Part | null,
  known: ReadonlyMap<string, Task[] | undefined>,
  states: ReadonlyMap<string, string>,
) {
  const former = useRef(new Map<string, View>())
  return useMemo(() => {
    const nodes = new Map<string, NodeView>()
    const edges = new Map<string, EdgeView>()
    let focus: string | null = null
    if (part) {
      for (const { id, graph } of partsOf(part)) {
        const view = reuse(former.current.get(id), viewOf(graph, known.get(id) ?? [], states.get(id) ?? null))
        former.current.set(id, view)
        for (const node of view.nodes) nodes.set(boxId(id, node.name), node)
        view.edges.forEach((edge, i) => edges.set(`${id}/${edgeId(edge.edge, i)}`, edge))
        if (id === part.id) {
          const name = focusOf(view)
          focus = name === null ? null : boxId(id, name)
        }
      }
    }
    return { nodes, edges, focus }
  }, [part, known, states])
}

function selectedBox(taskId: string | null, known: ReadonlyMap<string, Task[] | undefined>): string | null {
  if (taskId === null) return null
  for (const [id, tasks] of known) {
    const task = tasks?.find((one) => one.id === taskId)
    if (task) return boxId(id, task.name)
  }
  return null
}
