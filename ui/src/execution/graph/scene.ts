/** What is drawn: boxes and lines with their places. Sub-workflows that are open are boxes with a scene inside. */
import { layoutOf, LARGE, type Box, type Direction, type Line, type Point } from "../layout"
import { edgeId } from "../model/graph"
import type { Graph, GraphEdge, GraphNode } from "../types"

/** An execution (or a definition) that is shown, and what is open inside of it, by task. */
export interface Part {
  id: string
  graph: Graph
  open: Readonly<Record<string, Part>>
  /** Which one it is of several: items of a task. */
  place?: { index: number; total: number }
}

export interface SceneBox extends Box, Point {
  /** Of the part that it belongs to. */
  partId: string
  name: string
  node: GraphNode
  isGroup: boolean
  /** What a group shows. */
  inner: Part | null
}

export interface SceneLine {
  id: string
  partId: string
  edge: GraphEdge
  from: string
  to: string
  points: Point[] | null
  label: Point | null
  text: string
}

export interface Scene {
  boxes: SceneBox[]
  lines: SceneLine[]
  width: number
  height: number
  isLarge: boolean
  direction: Direction
}

const GROUP_HEAD = 44
const GROUP_PAD = 20

export const boxId = (partId: string, name: string): string => `${partId}/${name}`

export function sizeOf(node: GraphNode): { width: number; height: number } {
  if (node.kind === "command") return { width: 124, height: 36 }
  return { width: 236, height: node.with_items ? 82 : 60 }
}

export async function sceneOf(part: Part, direction: Direction): Promise<Scene> {
  const inner = new Map<string, Scene>()
  await Promise.all(
    Object.entries(part.open).map(async ([name, child]) => inner.set(name, await sceneOf(child, direction))),
  )
  const boxes = part.graph.nodes.map((node): Box => {
    const scene = inner.get(node.name)
    const id = boxId(part.id, node.name)
    if (!scene) return { id, ...sizeOf(node) }
    return { id, width: Math.max(300, scene.width + 2 * GROUP_PAD), height: scene.height + GROUP_HEAD + 2 * GROUP_PAD }
  })
  const lines = part.graph.edges.map((edge, i): Line => {
    const text = textOf(edge)
    return {
      id: `${part.id}/${edgeId(edge, i)}`,
      from: boxId(part.id, edge.from),
      to: boxId(part.id, edge.to),
      ...(text ? { label: { width: Math.round(text.length * 6.3 + 18), height: 20 } } : {}),
    }
  })
  const laid = await layoutOf({ boxes, lines, direction })
  const scene: Scene = {
    boxes: [],
    lines: [],
    width: laid.width,
    height: laid.height,
    isLarge: boxes.length > LARGE,
    direction,
  }
  part.graph.nodes.forEach((node, i) => {
    const box = boxes[i]!
    const at = laid.at[box.id] ?? { x: 0, y: 0 }
    const child = inner.get(node.name)
    scene.boxes.push({
      ...box,
      ...at,
      partId: part.id,
      name: node.name,
      node,
      isGroup: child !== undefined,
      inner: part.open[node.name] ?? null,
    })
    if (child) add(scene, child, { x: at.x + (box.width - child.width) / 2, y: at.y + GROUP_HEAD + GROUP_PAD })
  })
  part.graph.edges.forEach((edge, i) => {
    const { id, from, to } = lines[i]!
    const [points, label] = [laid.routes[id] ?? null, laid.labels[id] ?? null]
    scene.lines.push({ id, partId: part.id, edge, from, to, points, label, text: textOf(edge) })
  })
  return scene
}

function add(scene: Scene, child: Scene, by: Point): void {
  const moved = ({ x, y }: Point): Point => ({ x: x + by.x, y: y + by.y })
  for (const box of child.boxes) scene.boxes.push({ ...box, ...moved(box) })
  for (const line of child.lines) {
    scene.lines.push({ ...line, points: line.points?.map(moved) ?? null, label: line.label && moved(line.label) })
  }
  scene.isLarge ||= child.isLarge
}

const LONGEST = 40

/** The clause, unless it is the usual one, and the condition without its brackets. */
export function textOf({ clause, condition }: GraphEdge): string {
  const bare = condition?.replace(/^\s*(<%|\{\{)\s*|\s*(%>|\}\})\s*$/g, "") ?? ""
  const cut = bare.length > LONGEST ? `${bare.slice(0, LONGEST - 1)}…` : bare
  const usual = clause === "on-success" || clause === "requires"
  return [usual ? "" : clause, cut].filter(Boolean).join(" · ")
}

/** An SVG path along right-angled corners, rounded; or a curve between two boxes if there is no route. */
export function pathOf(line: SceneLine, from: SceneBox, to: SceneBox, direction: Direction): string {
  if (line.points) return rounded(line.points)
  const [a, b] = ends(from, to, direction)
  if (from === to) {
    const right = from.x + from.width
    return `M ${right} ${from.y + 14} C ${right + 48} ${from.y + 4}, ${right + 48} ${from.y + 56}, ${right} ${from.y + 46}`
  }
  const reach = direction === "down" ? Math.max(30, Math.abs(b.y - a.y) / 2) : Math.max(30, Math.abs(b.x - a.x) / 2)
  return direction === "down"
    ? `M ${a.x} ${a.y} C ${a.x} ${a.y + reach}, ${b.x} ${b.y - reach}, ${b.x} ${b.y}`
    : `M ${a.x} ${a.y} C ${a.x + reach} ${a.y}, ${b.x - reach} ${b.y}, ${b.x} ${b.y}`
}

export function ends(from: SceneBox, to: SceneBox, direction: Direction): [Point, Point] {
  return direction === "down"
    ? [
        { x: from.x + from.width / 2, y: from.y + from.height },
        { x: to.x + to.width / 2, y: to.y },
      ]
    : [
        { x: from.x + from.width, y: from.y + from.height / 2 },
        { x: to.x, y: to.y + to.height / 2 },
      ]
}

function rounded(points: Point[], radius = 8): string {
  const parts = [`M ${points[0]!.x} ${points[0]!.y}`]
  for (let i = 1; i < points.length - 1; i++) {
    const [a, b, c] = [points[i - 1]!, points[i]!, points[i + 1]!]
    const r = Math.min(radius, distance(a, b) / 2, distance(b, c) / 2)
    const [into, out] = [towards(b, a, r), towards(b, c, r)]
    parts.push(`L ${into.x} ${into.y} Q ${b.x} ${b.y} ${out.x} ${out.y}`)
  }
  const last = points.at(-1)!
  parts.push(`L ${last.x} ${last.y}`)
  return parts.join(" ")
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y)

function towards(from: Point, to: Point, by: number): Point {
  const whole = distance(from, to) || 1
  return { x: from.x + ((to.x - from.x) * by) / whole, y: from.y + ((to.y - from.y) * by) / whole }
}
