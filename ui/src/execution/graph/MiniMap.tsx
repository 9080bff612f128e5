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
  const ground = useRef<{ scene: Scene; nodes: Props["nodes"]; bitmap: HTMLCanvasElement } | null>(null)
  useEffect(() => {
    latest.current = props
    if (!canvas.current) return
    const { current } = ground
    if (current?.scene !== props.scene || current.nodes !== props.nodes)
      ground.current = { ...props, bitmap: boxesOf(canvas.current, props) }
    draw(canvas.current, props, ground.current?.bitmap)
  })
  useEffect(() => {
    let asked = 0
    const again = () => {
      asked ||= requestAnimationFrame(() => {
        asked = 0
        if (canvas.current) draw(canvas.current, latest.current, ground.current?.bitmap)
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
  const scale = Math.min(
    (WIDTH - 2 * PAD) / Math.max(1, scene.width),
    (HEIGHT - 2 * PAD) / Math.max(1, scene.height),
    0.12,
  )
  return { scale, left: (WIDTH - scene.width * scale) / 2, top: (HEIGHT - scene.height * scale) / 2 }
}

/** The boxes alone: drawn anew when they change, not when the view moves. */
function boxesOf(canvas: HTMLCanvasElement, { scene, nodes }: Props): HTMLCanvasElement {
  const bitmap = document.createElement("canvas")
  const ratio = Math.min(devicePixelRatio || 1, 2)
  bitmap.width = WIDTH * ratio
  bitmap.height = HEIGHT * ratio
  const context = bitmap.getContext("2d")
  if (!context) return bitmap
  context.scale(ratio, ratio)
  const { scale, left, top } = placing(scene)
  const colour = colours(canvas)
  for (const box of scene.boxes) {
    if (box.isGroup) continue
    context.fillStyle = colour(toneOf(nodes.get(box.id)))
    const [width, height] = [Math.max(1.2, box.width * scale), Math.max(1.2, box.height * scale)]
    context.fillRect(left + box.x * scale, top + box.y * scale, width, height)
  }
  return bitmap
}

function draw(
  canvas: HTMLCanvasElement,
  { scene, viewport, frame }: Props,
  ground: HTMLCanvasElement | undefined,
): void {
  const context = prepared(canvas)
  if (!context) return
  if (ground) context.drawImage(ground, 0, 0, WIDTH, HEIGHT)
  const { scale, left, top } = placing(scene)
  const { x, y, zoom } = viewport.current
  const element = frame.current
  if (!element) return
  context.strokeStyle = colours(canvas)("ink")
  context.lineWidth = 1.2
  context.strokeRect(
    left - (x / zoom) * scale,
    top - (y / zoom) * scale,
    (element.clientWidth / zoom) * scale,
    (element.clientHeight / zoom) * scale,
  )
}
