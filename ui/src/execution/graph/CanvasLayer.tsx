/** Lines, and from afar boxes too, of a large graph: thousands of elements would stall the page, a canvas does not. */
import type { Viewport } from "@xyflow/react"
import { useEffect, useRef } from "react"
import { stateLook } from "~/ui"
import type { EdgeView, NodeView } from "../model/graph"
import { ends, type Scene, type SceneBox } from "./scene"
import type { ViewportCell } from "./useVisible"

interface Props {
  scene: Scene
  boxes: ReadonlyMap<string, SceneBox>
  nodes: ReadonlyMap<string, NodeView>
  edges: ReadonlyMap<string, EdgeView>
  viewport: ViewportCell
  areBoxesDrawn: boolean
}

export function CanvasLayer(props: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const latest = useRef(props)
  const picture = useRef<Picture | null>(null)
  const { viewport } = props
  useEffect(() => {
    latest.current = props
    if (canvas.current) picture.current = drawn(canvas.current, props)
  })
  useEffect(() => {
    let asked = 0
    let settling: ReturnType<typeof setTimeout> | undefined
    const whole = () => {
      if (canvas.current) picture.current = drawn(canvas.current, latest.current)
    }
    const again = () => {
      asked ||= requestAnimationFrame(() => {
        asked = 0
        clearTimeout(settling)
        if (picture.current && picture.current.cost > SLOW) {
          if (canvas.current) shift(canvas.current, picture.current, viewport.current)
          settling = setTimeout(whole, SETTLED)
        } else whole()
      })
    }
    viewport.listeners.add(again)
    const observer = new ResizeObserver(again)
    if (canvas.current) observer.observe(canvas.current)
    const theme = new MutationObserver(again)
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] })
    return () => {
      viewport.listeners.delete(again)
      observer.disconnect()
      theme.disconnect()
      cancelAnimationFrame(asked)
      clearTimeout(settling)
    }
  }, [viewport])
  return <canvas className="graph-canvas" ref={canvas} aria-hidden="true" />
}

const MOST_LINES = 4000
const SLOW = 9 // ms: a picture that takes longer is moved as it is until the view stands still
const SETTLED = 110 // ms

interface Picture {
  bitmap: HTMLCanvasElement
  viewport: Viewport
  cost: number
}

function drawn(canvas: HTMLCanvasElement, props: Props): Picture | null {
  const began = performance.now()
  draw(canvas, props)
  const cost = performance.now() - began
  if (cost <= SLOW || canvas.width === 0 || canvas.height === 0) return null
  const bitmap = document.createElement("canvas")
  bitmap.width = canvas.width
  bitmap.height = canvas.height
  bitmap.getContext("2d")?.drawImage(canvas, 0, 0)
  return { bitmap, viewport: props.viewport.current, cost }
}

/** Draws the former picture where its content is now. */
function shift(canvas: HTMLCanvasElement, { bitmap, viewport: old }: Picture, now: Viewport): void {
  const context = prepared(canvas)
  if (!context) return
  const scale = now.zoom / old.zoom
  context.drawImage(
    bitmap,
    now.x - old.x * scale,
    now.y - old.y * scale,
    canvas.clientWidth * scale,
    canvas.clientHeight * scale,
  )
}

/** A 2D context of the canvas' real size, cleared, in CSS pixels. */
export function prepared(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const ratio = Math.min(devicePixelRatio || 1, 2)
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)]
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  const context = canvas.getContext("2d")
  if (!context) return null
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight)
  return context
}

export function colours(element: HTMLElement): (name: string) => string {
  const style = getComputedStyle(element)
  const known = new Map<string, string>()
  return (name) => {
    let value = known.get(name)
    if (value === undefined) known.set(name, (value = style.getPropertyValue(`--${name}`).trim()))
    return value
  }
}

export const toneOf = (view: NodeView | undefined): string => (view?.state ? stateLook(view.state).tone : "line-strong")

function draw(canvas: HTMLCanvasElement, { scene, boxes, nodes, edges, viewport, areBoxesDrawn }: Props): void {
  const context = prepared(canvas)
  if (!context) return
  const { x, y, zoom } = viewport.current
  const colour = colours(canvas)
  const [left, top] = [-x / zoom, -y / zoom]
  const [right, bottom] = [(canvas.clientWidth - x) / zoom, (canvas.clientHeight - y) / zoom]
  context.translate(x, y)
  context.scale(zoom, zoom)
  const [idle, taken] = [new Path2D(), new Path2D()]
  // From afar thousands of lines are one grey: a part of them looks the same.
  const step = zoom < 0.3 ? Math.ceil(scene.lines.length / MOST_LINES) : 1
  for (let i = 0; i < scene.lines.length; i += step) {
    const line = scene.lines[i]!
    const [from, to] = [boxes.get(line.from), boxes.get(line.to)]
    if (!from || !to) continue
    const [a, b] = ends(from, to, scene.direction)
    if (Math.max(a.x, b.x) < left || Math.min(a.x, b.x) > right) continue
    if (Math.max(a.y, b.y) < top || Math.min(a.y, b.y) > bottom) continue
    const path = edges.get(line.id)?.taken ? taken : idle
    path.moveTo(a.x, a.y)
    if (zoom < 0.3) path.lineTo(b.x, b.y)
    else if (scene.direction === "down") path.bezierCurveTo(a.x, (a.y + b.y) / 2, b.x, (a.y + b.y) / 2, b.x, b.y)
    else path.bezierCurveTo((a.x + b.x) / 2, a.y, (a.x + b.x) / 2, b.y, b.x, b.y)
  }
  context.lineWidth = Math.max(1, 0.6 / zoom)
  context.strokeStyle = colour("line-strong")
  context.globalAlpha = zoom < 0.3 ? 0.25 : 0.6
  context.stroke(idle)
  context.strokeStyle = colour("soft")
  context.stroke(taken)
  context.globalAlpha = 1
  if (!areBoxesDrawn) return
  for (const box of scene.boxes) {
    if (box.x > right || box.x + box.width < left || box.y > bottom || box.y + box.height < top) continue
    context.fillStyle = colour(toneOf(nodes.get(box.id)))
    context.fillRect(box.x, box.y, box.width, box.height)
  }
}
