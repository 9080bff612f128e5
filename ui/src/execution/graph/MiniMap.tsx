/** The whole graph in a corner: states as colours, the part in sight as a frame. A pointer moves it; keys need it not. */
import { useReactFlow } from "@xyflow/react"
import { useEffect, useRef, type PointerEvent, type RefObject } from "react"
import type { NodeView } from "../model/graph"
import { colours, prepared, toneOf } from "./CanvasLayer"
import type { Scene } from "./scene"
import type { ViewportCell } from "./useVisible"

const [WIDTH, HEIGHT, PAD] = [168, 112, 6]

interface Props {
  scene: Scene
  nodes: ReadonlyMap<string, NodeView>
  viewport: ViewportCell
  frame: RefObject<HTMLDivElement | null>
}

export function MiniMap(props: Props) {
  const { scene, viewport, frame } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const latest = useRef(props)
  const flow = useReactFlow()
  useEffect(() => {
    latest.current = props
    if (canvas.current) draw(canvas.current, props)
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
    return () => {
      viewport.listeners.delete(again)
      cancelAnimationFrame(asked)
    }
  }, [viewport])
  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons !== 1 || !frame.current) return
    const { scale, left, top } = placing(scene)
    const { x, y } = event.currentTarget.getBoundingClientRect()
    const zoom = flow.getZoom()
    void flow.setViewport({
      zoom,
      x: frame.current.clientWidth / 2 - ((event.clientX - x - left) / scale) * zoom,
      y: frame.current.clientHeight / 2 - ((event.clientY - y - top) / scale) * zoom,
    })
  }
  return <canvas className="mini-map" ref={canvas} aria-hidden="true" onPointerDown={go} onPointerMove={go} />
}

function placing(scene: Scene): { scale: number; left: number; top: number } {
  const scale = Math.min((WIDTH - 2 * PAD) / Math.max(1, scene.width), (HEIGHT - 2 * PAD) / Math.max(1, scene.height), 0.12)
  return { scale, left: (WIDTH - scene.width * scale) / 2, top: (HEIGHT - scene.height * scale) / 2 }
}

function draw(canvas: HTMLCanvasElement, { scene, nodes, viewport, frame }: Props): void {
  const context = prepared(canvas)
  if (!context) return
  const { scale, left, top } = placing(scene)
  const colour = colours(canvas)
  for (const box of scene.boxes) {
    if (box.isGroup) continue
    context.fillStyle = colour(toneOf(nodes.get(box.id)))
    const [width, height] = [Math.max(1.2, box.width * scale), Math.max(1.2, box.height * scale)]
    context.fillRect(left + box.x * scale, top + box.y * scale, width, height)
  }
  const { x, y, zoom } = viewport.current
  const element = frame.current
  if (!element) return
  context.strokeStyle = colour("ink")
  context.lineWidth = 1.2
  context.strokeRect(
    left - (x / zoom) * scale,
    top - (y / zoom) * scale,
    (element.clientWidth / zoom) * scale,
    (element.clientHeight / zoom) * scale,
  )
}
