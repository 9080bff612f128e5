/** Lines, and from afar boxes too, of a large graph: thousands of elements would stall the page, a canvas does not. */
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
  const { viewport } = props
  useEffect(() => {
    latest.current = props
    const element = canvas.current
    if (element) draw(element, props)
  })
  useEffect(() => {
    let asked = 0
    const again = () => {
      asked ||= requestAnimationFrame(() => {
        asked = 0
        if (canvas.current) draw(canvas.current, latest.current)
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
    }
  }, [viewport])
  return <canvas className="graph-canvas" ref={canvas} aria-hidden="true" />
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
  for (const line of scene.lines) {
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
  context.globalAlpha = 0.6
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
