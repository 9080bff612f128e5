/** A graph that can be walked through: panned, zoomed, read by keyboard, with states on its nodes if there are any. */
import { Background, ReactFlow, ReactFlowProvider, useReactFlow, type Node, type Viewport } from "@xyflow/react"
import "@xyflow/react/dist/base.css"
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react"
import { Loading } from "~/ui"
import type { EdgeView, NodeView } from "../model/graph"
import { CanvasLayer } from "./CanvasLayer"
import { EdgeLayer } from "./EdgeLayer"
import { GraphTools } from "./GraphTools"
import { GroupNode } from "./GroupNode"
import { MiniMap } from "./MiniMap"
import type { Part, Scene, SceneBox } from "./scene"
import { TaskNode, type TaskNodeData } from "./TaskNode"
import { useScene } from "./useScene"
import { useVisible } from "./useVisible"
import { isArrow, nextBox } from "./walk"
import "./graph.css"

export interface GraphActions {
  /** Shows what is known of a task. */
  onSelect: (box: SceneBox | null) => void
  /** Opens or closes a sub-workflow in its place; missing: cannot be done here. */
  onToggle?: (box: SceneBox) => void
  /** Shows the next or former of several sub-executions that are open in one place. */
  onStep?: (box: SceneBox, by: number) => void
}

export interface GraphProps extends GraphActions {
  part: Part
  /** By box id; a box without an entry is drawn without a state. */
  nodes: ReadonlyMap<string, NodeView>
  /** By line id. */
  edges: ReadonlyMap<string, EdgeView>
  selected: string | null
  /** Box id of where to look first. */
  focus: string | null
  label: string
  /** Runs only: counts of with-items tasks are read. */
  isLive?: boolean
}

const NODE_TYPES = { task: memo(TaskNode), opened: memo(GroupNode) }
const SMALLEST = 0.015

export default function GraphView(props: GraphProps) {
  return (
    <ReactFlowProvider>
      <Loaded {...props} />
    </ReactFlowProvider>
  )
}

function Loaded(props: GraphProps) {
  const { scene, direction, setDirection } = useScene(props.part)
  if (!scene) return <Loading label="Laying out the graph" />
  return <Plane {...props} scene={scene} onDirection={() => setDirection(direction === "down" ? "right" : "down")} />
}

function Plane({
  scene,
  nodes: views,
  edges: edgeViews,
  selected,
  focus,
  label,
  isLive = false,
  onSelect,
  onToggle,
  onStep,
  onDirection,
}: GraphProps & { scene: Scene; onDirection: () => void }) {
  const frame = useRef<HTMLDivElement>(null)
  const flow = useReactFlow()
  const { visible, viewport, onMove, boxAt, isFar } = useVisible(scene, frame)
  const boxes = useMemo(() => new Map(scene.boxes.map((box) => [box.id, box])), [scene])

  const center = useCallback(
    (box: SceneBox, zoom = Math.max(flow.getZoom(), 0.75)) =>
      void flow.setCenter(box.x + box.width / 2, box.y + Math.min(box.height, 400) / 2, { zoom, duration: 180 }),
    [flow],
  )
  const [isReady, setReady] = useState(false)
  useStart(scene, frame, focus, boxes, isReady)

  // What was just opened comes into sight as a whole.
  const groups = useRef<ReadonlySet<string>>(new Set())
  useEffect(() => {
    const now = new Set(scene.boxes.filter((box) => box.isGroup).map((box) => box.id))
    const fresh = scene.boxes.find((box) => box.isGroup && !groups.current.has(box.id))
    groups.current = now
    if (fresh && isReady && frame.current) void flow.setViewport(around(fresh, frame.current), { duration: 220 })
  }, [scene, flow, isReady])

  // A task that was chosen elsewhere comes into sight.
  const shown = useRef<string | null>(null)
  useEffect(() => {
    const box = selected === null ? undefined : boxes.get(selected)
    if (box && shown.current !== selected && !isInside(box, viewport.current, frame.current)) center(box)
    shown.current = selected
  }, [selected, boxes, center, viewport])

  const nodes = useMemo(
    () => visible.map((box) => nodeOf(box, views.get(box.id), { isLive, selected, onSelect, onToggle, onStep })),
    [visible, views, isLive, selected, onSelect, onToggle, onStep],
  )
  const walk = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLElement && event.target.closest("select, input")) return
    const current =
      (selected === null ? undefined : boxes.get(selected)) ?? (focus === null ? undefined : boxes.get(focus))
    if (isArrow(event.key)) {
      const box = selected === null ? current : current && nextBox(scene, current, event.key)
      if (!box) return
      onSelect(box)
      if (!isInside(box, viewport.current, frame.current)) center(box)
    } else if (event.key === "f" && focus) {
      const box = boxes.get(focus)
      if (box) center(box, 1)
    } else if (event.key === "0") {
      fit(scene, frame.current, flow.setViewport)
    } else if (event.key === "+" || event.key === "=") {
      void flow.zoomIn()
    } else if (event.key === "-") {
      void flow.zoomOut()
    } else if (event.key === "e" && current && onToggle && current.node.workflow) {
      onToggle(current)
    } else if (event.key === "Escape") {
      onSelect(null)
    } else return
    event.preventDefault()
    event.stopPropagation()
  }

  const selectedView = selected === null ? undefined : views.get(selected)
  return (
    <div
      className="graph"
      ref={frame}
      onKeyDown={walk}
      tabIndex={0}
      role="group"
      aria-label={label}
      data-graph={scene.boxes.length}
    >
      {scene.isLarge ? (
        <CanvasLayer
          scene={scene}
          boxes={boxes}
          nodes={views}
          edges={edgeViews}
          viewport={viewport}
          areBoxesDrawn={isFar}
        />
      ) : null}
      <ReactFlow
        nodes={nodes}
        nodeTypes={NODE_TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        zoomOnDoubleClick={false}
        panActivationKeyCode={null}
        selectionKeyCode={null}
        deleteKeyCode={null}
        multiSelectionKeyCode={null}
        zoomActivationKeyCode={null}
        minZoom={SMALLEST}
        maxZoom={2}
        onInit={() => setReady(true)}
        onMove={(_event, to: Viewport) => onMove(to)}
        onPaneClick={(event) => {
          const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })
          onSelect(isFar ? boxAt(x, y) : null)
        }}
        proOptions={{ hideAttribution: true }}
      >
        {scene.isLarge ? null : (
          <>
            <Background gap={24} size={1} color="var(--line)" />
            <EdgeLayer scene={scene} boxes={boxes} views={edgeViews} />
          </>
        )}
      </ReactFlow>
      <GraphTools
        hasFocus={focus !== null && isLive}
        onFocus={() => {
          const box = focus === null ? undefined : boxes.get(focus)
          if (box) {
            center(box, 1)
            onSelect(box)
          }
        }}
        onFit={() => fit(scene, frame.current, flow.setViewport)}
        onIn={() => void flow.zoomIn({ duration: 120 })}
        onOut={() => void flow.zoomOut({ duration: 120 })}
        onDirection={onDirection}
        direction={scene.direction}
      />
      <MiniMap scene={scene} nodes={views} viewport={viewport} frame={frame} />
      <p className="visually-hidden" role="status">
        {selectedView ? `${selectedView.name}: ${selectedView.state?.toLowerCase() ?? "not started"}` : ""}
      </p>
    </div>
  )
}

type NodeSettings = Pick<TaskNodeData, "isLive" | "onSelect" | "onToggle" | "onStep"> & { selected: string | null }

const made = new WeakMap<SceneBox, Node<TaskNodeData>>()

/** The same object as before, if nothing of it has changed: then it is not drawn again. */
function nodeOf(box: SceneBox, view: NodeView | undefined, settings: NodeSettings): Node<TaskNodeData> {
  const isSelected = settings.selected === box.id
  const { isLive, onSelect, onToggle, onStep } = settings
  const old = made.get(box)
  if (
    old &&
    old.data.view === view &&
    old.data.isSelected === isSelected &&
    old.data.isLive === isLive &&
    old.data.onSelect === onSelect &&
    old.data.onToggle === onToggle
  ) {
    return old
  }
  const { width, height } = box
  const node: Node<TaskNodeData> = {
    id: box.id,
    type: box.isGroup ? "opened" : "task",
    position: { x: box.x, y: box.y },
    width,
    height,
    measured: { width, height },
    handles: [],
    zIndex: box.isGroup ? 0 : 2,
    data: { box, view, isSelected, isLive, onSelect, onToggle, onStep },
  }
  made.set(box, node)
  return node
}

function isInside(box: SceneBox, { x, y, zoom }: Viewport, frame: HTMLElement | null): boolean {
  if (!frame) return true
  const [left, top] = [box.x * zoom + x, box.y * zoom + y]
  return (
    left >= 8 &&
    top >= 8 &&
    left + Math.min(box.width, 240) * zoom <= frame.clientWidth - 8 &&
    top + Math.min(box.height, 60) * zoom <= frame.clientHeight - 8
  )
}

function fitting(scene: Scene, frame: HTMLElement, pad = 32): Viewport {
  const [width, height] = [frame.clientWidth - 2 * pad, frame.clientHeight - 2 * pad]
  const zoom = Math.max(SMALLEST, Math.min(1, width / Math.max(1, scene.width), height / Math.max(1, scene.height)))
  const spare = height - scene.height * zoom
  return {
    zoom,
    x: pad + (width - scene.width * zoom) / 2,
    y: pad + (spare > 0 ? Math.min(spare / 2, 40) : 0),
  }
}

/** All of a box in sight, not larger than it is. */
function around(box: SceneBox, frame: HTMLElement): Viewport {
  const zoom = Math.max(0.3, Math.min(1, (frame.clientWidth - 48) / box.width, (frame.clientHeight - 48) / box.height))
  return {
    zoom,
    x: frame.clientWidth / 2 - (box.x + box.width / 2) * zoom,
    y: Math.max(24 - box.y * zoom, frame.clientHeight / 2 - (box.y + box.height / 2) * zoom),
  }
}

function fit(scene: Scene, frame: HTMLElement | null, set: (to: Viewport, how: { duration: number }) => unknown): void {
  if (frame) void set(fitting(scene, frame), { duration: 180 })
}

const READABLE = 0.55

/** The first view: all of it if that can be read, else where something happens. Later layouts keep the view. */
function useStart(
  scene: Scene,
  frame: { readonly current: HTMLDivElement | null },
  focus: string | null,
  boxes: ReadonlyMap<string, SceneBox>,
  isReady: boolean,
): void {
  const { setViewport } = useReactFlow()
  const direction = useRef<string | null>(null)
  useLayoutEffect(() => {
    const element = frame.current
    if (!element || !isReady || direction.current === scene.direction) return
    direction.current = scene.direction
    const whole = fitting(scene, element)
    const box = focus === null ? scene.boxes[0] : (boxes.get(focus) ?? scene.boxes[0])
    if (whole.zoom >= READABLE || !box) {
      void setViewport(whole)
      return
    }
    const zoom = 0.85
    void setViewport({
      zoom,
      x: element.clientWidth / 2 - (box.x + box.width / 2) * zoom,
      y: Math.min(element.clientHeight * 0.4, 40 + box.y * zoom) - box.y * zoom,
    })
  }, [scene, frame, focus, boxes, setViewport, isReady])
}
