/**
 * A layered layout whose cost is about linear: for graphs that are too large for elk.
 *
 * Cycles are broken by a depth-first walk, layers are longest paths, the order inside of a layer follows the mean place of
 * its neighbours, and layers that are very wide are wrapped into rows, so that 5,000 parallel tasks are a block and not a line.
 */
import type { Box, LayoutInput, LayoutResult, Line, Point } from "./types"

const GAP = 36 // between neighbours of a row
const LAYER_GAP = 72 // between layers
const ROW_GAP = 28 // between the rows of one wrapped layer
const ROW = 20 // boxes per row, at least; a layer of more boxes is wrapped to about the golden shape
const SWEEPS = 4
const ALIGNMENTS = 4

interface Indexed {
  boxes: Box[]
  next: number[][]
  before: number[][]
}

export function layered({ boxes, lines, direction }: LayoutInput): LayoutResult {
  const turned = direction === "right" ? boxes.map((b) => ({ ...b, width: b.height, height: b.width })) : boxes
  const graph = indexed(turned, lines)
  const layers = ordered(graph, layersOf(graph))
  const placed = place(graph, layers)
  return finish(turned, placed, direction)
}

/** Neighbours by number, without loops to itself and with cycles broken: lines that lead back are turned around. */
function indexed(boxes: Box[], lines: Line[]): Indexed {
  const number = new Map(boxes.map((box, i) => [box.id, i]))
  const out: number[][] = boxes.map(() => [])
  for (const line of lines) {
    const from = number.get(line.from)
    const to = number.get(line.to)
    if (from !== undefined && to !== undefined && from !== to) out[from]!.push(to)
  }
  const back = backward(out)
  const next: number[][] = boxes.map(() => [])
  const before: number[][] = boxes.map(() => [])
  out.forEach((targets, from) => {
    for (const to of new Set(targets)) {
      const [a, b] = back.has(from * boxes.length + to) ? [to, from] : [from, to]
      next[a]!.push(b)
      before[b]!.push(a)
    }
  })
  return { boxes, next, before }
}

/** Lines (from * n + to) that close a cycle, seen from the boxes that nothing leads to. */
function backward(out: number[][]): Set<number> {
  const n = out.length
  const entered = new Uint32Array(n)
  for (const targets of out) for (const to of targets) entered[to]!++
  const mark = new Uint8Array(n) // 0 new, 1 on the path, 2 done
  const at = new Uint32Array(n)
  const back = new Set<number>()
  const starts = [...out.keys()].sort((a, b) => Math.min(entered[a]!, 1) - Math.min(entered[b]!, 1) || a - b)
  for (const start of starts) {
    if (mark[start]) continue
    const path = [start]
    mark[start] = 1
    while (path.length) {
      const here = path[path.length - 1]!
      const to = out[here]![at[here]!++]
      if (to === undefined) {
        mark[here] = 2
        path.pop()
      } else if (mark[to] === 0) {
        mark[to] = 1
        path.push(to)
      } else if (mark[to] === 1) {
        back.add(here * n + to)
      }
    }
  }
  return back
}

function layersOf({ boxes, next, before }: Indexed): number[][] {
  const left = before.map((b) => b.length)
  const layer = new Uint32Array(boxes.length)
  const queue = [...left.keys()].filter((i) => left[i] === 0)
  for (let head = 0; head < queue.length; head++) {
    const here = queue[head]!
    for (const to of next[here]!) {
      layer[to] = Math.max(layer[to]!, layer[here]! + 1)
      if (--left[to]! === 0) queue.push(to)
    }
  }
  const layers: number[][] = []
  for (const here of queue) (layers[layer[here]!] ??= []).push(here)
  return layers
}

/** Sorts each layer by the mean place of its neighbours, down and up again. */
function ordered({ boxes, next, before }: Indexed, layers: number[][]): number[][] {
  const place = new Float64Array(boxes.length)
  const settle = (layer: number[]): void => layer.forEach((box, i) => (place[box] = (i + 0.5) / layer.length))
  const sort = (layer: number[], neighbours: number[][]): void => {
    const mean = new Map<number, number>()
    for (const box of layer) {
      const of = neighbours[box]!
      mean.set(box, of.length ? of.reduce((sum, other) => sum + place[other]!, 0) / of.length : place[box]!)
    }
    layer.sort((a, b) => mean.get(a)! - mean.get(b)! || a - b)
    settle(layer)
  }
  layers.forEach(settle)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let i = 1; i < layers.length; i++) sort(layers[i]!, before)
    for (let i = layers.length - 2; i >= 0; i--) sort(layers[i]!, next)
  }
  return layers
}

interface Row {
  boxes: number[]
  height: number
  y: number
  isWrapped: boolean
}

function rowsOf({ boxes }: Indexed, layers: number[][]): Row[] {
  const rows: Row[] = []
  let y = 0
  for (const layer of layers) {
    const perRow = layer.length <= ROW * 1.5 ? layer.length : Math.max(ROW, Math.ceil(Math.sqrt(layer.length / 2)))
    for (let from = 0; from < layer.length; from += perRow) {
      const part = layer.slice(from, from + perRow)
      const height = part.reduce((most, box) => Math.max(most, boxes[box]!.height), 0)
      rows.push({ boxes: part, height, y, isWrapped: layer.length > perRow })
      y += height + (from + perRow < layer.length ? ROW_GAP : LAYER_GAP)
    }
  }
  return rows
}

function place(graph: Indexed, layers: number[][]): Point[] {
  const { boxes, next, before } = graph
  const rows = rowsOf(graph, layers)
  const x = new Float64Array(boxes.length) // of middles
  for (const row of rows) {
    const total = row.boxes.reduce((sum, box) => sum + boxes[box]!.width + GAP, -GAP)
    let left = -total / 2
    for (const box of row.boxes) {
      x[box] = left + boxes[box]!.width / 2
      left += boxes[box]!.width + GAP
    }
  }
  const free = rows.filter((row) => !row.isWrapped)
  for (let i = 0; i < ALIGNMENTS; i++) {
    const isDown = i % 2 === 0
    for (const row of isDown ? free : [...free].reverse()) align(row.boxes, boxes, x, isDown ? before : next)
  }
  const at: Point[] = []
  for (const row of rows) {
    for (const box of row.boxes) {
      const { width, height } = boxes[box]!
      at[box] = { x: x[box]! - width / 2, y: row.y + (row.height - height) / 2 }
    }
  }
  return at
}

/** Moves boxes of a row to the mean of their neighbours, in order and without overlap. */
function align(row: number[], boxes: Box[], x: Float64Array, neighbours: number[][]): void {
  const wish = row.map((box) => {
    const of = neighbours[box]!
    return of.length ? of.reduce((sum, other) => sum + x[other]!, 0) / of.length : x[box]!
  })
  // Boxes that would overlap form a block that stands where the mean of its members' wishes is.
  const blocks: { first: number; offsets: number[]; sum: number; width: number }[] = []
  const start = (b: (typeof blocks)[number]): number => b.sum / b.offsets.length
  row.forEach((box, i) => {
    const half = boxes[box]!.width / 2
    let block = { first: i, offsets: [half], sum: wish[i]! - half, width: boxes[box]!.width }
    for (let last = blocks[blocks.length - 1]; last && start(last) + last.width + GAP > start(block);) {
      const shift = last.width + GAP
      last.sum += block.sum - shift * block.offsets.length
      for (const offset of block.offsets) last.offsets.push(offset + shift)
      last.width = shift + block.width
      block = last
      blocks.pop()
      last = blocks[blocks.length - 1]
    }
    blocks.push(block)
  })
  for (const block of blocks) block.offsets.forEach((offset, i) => (x[row[block.first + i]!] = start(block) + offset))
}

function finish(boxes: Box[], placed: Point[], direction: LayoutInput["direction"]): LayoutResult {
  let [left, right, bottom] = [Infinity, -Infinity, 0]
  placed.forEach((point, i) => {
    left = Math.min(left, point.x)
    right = Math.max(right, point.x + boxes[i]!.width)
    bottom = Math.max(bottom, point.y + boxes[i]!.height)
  })
  const at: Record<string, Point> = {}
  const isRight = direction === "right"
  boxes.forEach((box, i) => {
    const { x, y } = placed[i]!
    at[box.id] = isRight ? { x: y, y: x - left } : { x: x - left, y }
  })
  const across = boxes.length ? right - left : 0
  return { at, routes: {}, labels: {}, width: isRight ? bottom : across, height: isRight ? across : bottom }
}
