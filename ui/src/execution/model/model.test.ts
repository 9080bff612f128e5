import { describe, expect, it } from "vitest"
import type { Graph, GraphEdge, GraphNode, Task } from "../types"
import { focusOf, reuse, viewOf } from "./graph"
import { plain, readStateInfo } from "./stateInfo"
import { moment, offsetText, ticks, timelineOf, type TimelineTask } from "./timeline"

let made = 0
const task = (
  name: string,
  state: string,
  context: unknown = {},
  id = `id-${String(made++).padStart(4, "0")}`,
): Task => ({
  id,
  name,
  state,
  type: "ACTION",
  state_info: null,
  runtime_context: JSON.stringify(context),
  created_at: "2026-01-01 00:00:00",
  updated_at: null,
  started_at: null,
  finished_at: null,
})
const after = (...pairs: [Task, string][]) => ({ triggered_by: pairs.map(([t, event]) => ({ task_id: t.id, event })) })

const node = (name: string, kind: GraphNode["kind"] = "task"): GraphNode => ({
  name,
  kind,
  action: null,
  workflow: null,
  join: null,
  with_items: null,
  policies: {},
  inputs_text: null,
  description: null,
  line: 1,
})
const edge = (from: string, to: string, clause: GraphEdge["clause"], condition: string | null = null): GraphEdge => ({
  from,
  to,
  clause,
  condition,
})

const GRAPH: Graph = {
  name: "w",
  type: "direct",
  description: null,
  input: [],
  nodes: [node("a"), node("b"), node("c"), node("fail", "command")],
  edges: [
    edge("a", "b", "on-success"),
    edge("a", "c", "on-error"),
    edge("b", "b", "on-success", "<% $.again %>"),
    edge("b", "fail", "on-success", "<% $.bad %>"),
  ],
  errors: [],
}

describe("viewOf", () => {
  it("shows nothing of an execution that has not begun", () => {
    const view = viewOf(GRAPH, [], null)
    expect(view.nodes.map((n) => n.state)).toEqual([null, null, null, null])
    expect(view.edges.map((e) => [e.taken, e.isPassed])).toEqual(GRAPH.edges.map(() => [0, false]))
  })

  it("tells what was taken, what was passed by, and how often a loop went round", () => {
    const a = task("a", "SUCCESS")
    const b1 = task("b", "SUCCESS", after([a, "on-success"]))
    const b2 = task("b", "RUNNING", after([b1, "on-success"]))
    const view = viewOf(GRAPH, [b2, a, b1], "RUNNING")
    expect(view.nodes[1]).toMatchObject({ state: "RUNNING", runs: [b1, b2] })
    expect(view.edges.map((e) => e.taken)).toEqual([1, 0, 1, 0])
    expect(view.edges[1]!.isPassed).toBe(true)
    expect(view.edges[3]!.isPassed).toBe(false)
    expect(focusOf(view)).toBe("b")
  })

  it("counts what has come to a join that still waits, as far as that can be told", () => {
    const lines = [
      edge("a", "end", "on-success"),
      edge("b", "end", "on-success", "<% $.so %>"),
      edge("c", "end", "on-success"),
    ]
    const graph = { ...GRAPH, nodes: [node("a"), node("b"), node("c"), node("end", "join")], edges: lines }
    const tasks = [task("a", "SUCCESS"), task("b", "SUCCESS"), task("c", "RUNNING"), task("end", "WAITING")]
    const view = viewOf(graph, tasks, "RUNNING")
    expect(view.edges.map((e) => [e.taken, e.isPassed])).toEqual([
      [1, false],
      [null, false],
      [0, false],
    ])
  })

  it("knows an error that was taken care of", () => {
    const a = task("a", "ERROR")
    const view = viewOf(GRAPH, [a, task("c", "SUCCESS", after([a, "on-error"]))], "SUCCESS")
    expect(view.nodes[0]).toMatchObject({ state: "ERROR", isHandled: true })
    expect(viewOf(GRAPH, [a], "ERROR").nodes[0]!.isHandled).toBe(false)
  })

  it("tells by the end whether a command was reached", () => {
    const tasks = [task("b", "SUCCESS")]
    expect(viewOf(GRAPH, tasks, "ERROR").edges[3]!.taken).toBe(1)
    expect(viewOf(GRAPH, tasks, "SUCCESS").edges[3]!.taken).toBe(0)
  })

  it("keeps what has not changed", () => {
    const [a, b] = [task("a", "SUCCESS"), task("b", "RUNNING")]
    const first = viewOf(GRAPH, [a, b], "RUNNING")
    const second = reuse(first, viewOf(GRAPH, [a, { ...b, state: "SUCCESS" }], "RUNNING"))
    expect(second.nodes[0]).toBe(first.nodes[0])
    expect(second.nodes[1]).not.toBe(first.nodes[1])
  })
})

describe("readStateInfo", () => {
  it("finds the tasks and the cause", () => {
    const id = (n: number): string => `01a20021-716b-7002-86b4-a635798f079${n}`
    const info = readStateInfo(
      `Failure caused by error in tasks: b\n\n  b [task_ex_id=${id(1)}] -> Failure caused by error in tasks: x\n\n` +
        `  x [task_ex_id=${id(2)}] -> The action raised an exception [action=Fail action, action_ex_id=${id(3)}, ` +
        `msg='It broke.']\n    [action_ex_id=${id(3)}, idx=0]: more\n`,
    )
    expect(info.headline).toBe("Failure caused by error in tasks: b")
    expect(info.tasks.map((t) => [t.name, t.id])).toEqual([
      ["b", id(1)],
      ["x", id(2)],
    ])
    expect(info.cause).toBe("It broke.")
    expect(info.details).toContain("idx=0")
  })

  it("reads what the engine says of a task that it could not go on with", () => {
    const error = "Can not evaluate YAQL expression [expression=$.total / $.parts, error='parts']"
    const info = readStateInfo(`Failed to run task [error=${error}, wf=shop, task=check]`)
    expect(info.tasks).toEqual([{ name: "check", id: null, message: error }])
    expect(info.cause).toBe(error)
    const named = readStateInfo("Failed to complete action [error=It is gone, action=std.echo, task=pay]")
    expect([named.cause, named.tasks[0]!.name]).toEqual(["It is gone", "pay"])
    const both = readStateInfo("Failed to run task [error=No such action, wf=shop, task=pay, action=std.ecoh]")
    expect([both.cause, both.tasks[0]!.name]).toEqual(["No such action", "pay"])
  })

  it("leaves a sentence alone", () => {
    expect(readStateInfo("Cancelled by ann")).toEqual({
      headline: "Cancelled by ann",
      tasks: [],
      cause: null,
      details: null,
    })
    expect(plain("no brackets")).toBe("no brackets")
  })
})

describe("timelineOf", () => {
  const row = (over: Partial<TimelineTask>): TimelineTask => ({
    task_id: "1",
    name: "a",
    state: "SUCCESS",
    created_at: "2026-01-01 00:00:00",
    started_at: "2026-01-01 00:00:00",
    finished_at: "2026-01-01 00:00:10",
    attempts: [],
    waits: [],
    ...over,
  })
  const zero = moment("2026-01-01 00:00:00")!

  it("reads times with and without zone", () => {
    expect(moment("2026-01-01T00:00:00Z")).toBe(zero)
    expect(moment("2026-01-01 00:00:00.500000")).toBe(zero + 500)
    expect(moment("2026-01-01T01:00:00+01:00")).toBe(zero)
    expect(moment("never")).toBeNull()
  })

  it("has a bar for each attempt and each wait", () => {
    const { rows, from, to } = timelineOf(
      [
        row({
          attempts: [
            { n: 1, started_at: "2026-01-01 00:00:00", finished_at: "2026-01-01 00:00:02", state: "ERROR", info: "no" },
            { n: 2, started_at: "2026-01-01 00:00:07", finished_at: "2026-01-01 00:00:10", state: "SUCCESS" },
          ],
          waits: [{ state: "DELAYED", from: "2026-01-01 00:00:02", to: "2026-01-01 00:00:07" }],
        }),
      ],
      zero + 60_000,
    )
    expect(rows[0]!.bars.map((b) => [b.kind, b.state, b.from - zero, b.to - zero])).toEqual([
      ["attempt", "ERROR", 0, 2000],
      ["wait", "DELAYED", 2000, 7000],
      ["attempt", "SUCCESS", 7000, 10000],
    ])
    expect([from - zero, to - zero]).toEqual([0, 10_000])
  })

  it("lets what goes on grow until now", () => {
    const { rows, to } = timelineOf([row({ state: "RUNNING", finished_at: null })], zero + 3000)
    expect(rows[0]).toMatchObject({ isOpen: true, to: zero + 3000 })
    expect(to).toBe(zero + 3000)
  })

  it("sorts by the start and keeps what has not begun last", () => {
    const { rows } = timelineOf(
      [
        row({ task_id: "2", started_at: null, finished_at: null, state: "IDLE" }),
        row({}),
        row({ task_id: "0", started_at: "2025-01-01 00:00:00" }),
      ],
      zero,
    )
    expect(rows.map((r) => r.id)).toEqual(["0", "1", "2"])
  })

  it("counts the rounds of a loop", () => {
    const { rows } = timelineOf([row({ task_id: "2" }), row({}), row({ task_id: "3", name: "b" })], zero)
    expect(rows.map((r) => [r.name, r.round])).toEqual([
      ["a", 1],
      ["a", 2],
      ["b", 0],
    ])
  })

  it("marks the axis at round offsets", () => {
    expect(ticks(10_000, 5)).toEqual([0, 2000, 4000, 6000, 8000, 10000])
    expect([0, 250, 1500, 150_000, 11_100_000, 90_000_000].map(offsetText)).toEqual([
      "0",
      "250 ms",
      "1.5 s",
      "2 m 30 s",
      "3 h 5 m",
      "1 d 1 h",
    ])
  })
})
