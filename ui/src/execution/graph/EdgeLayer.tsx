/** Transitions: their ways, clauses and conditions, and whether they were taken. */
import { ViewportPortal } from "@xyflow/react"
import { memo } from "react"
import type { EdgeView } from "../model/graph"
import { pathOf, type Scene, type SceneBox, type SceneLine } from "./scene"

interface Props {
  scene: Scene
  boxes: ReadonlyMap<string, SceneBox>
  views: ReadonlyMap<string, EdgeView>
}

/** All lines of a small graph; those of large ones are drawn by the canvas layer. */
export function EdgeLayer({ scene, boxes, views }: Props) {
  return (
    <ViewportPortal>
      <svg className="edges" aria-hidden="true">
        <defs>
          {["arrow", "arrow-taken"].map((id) => (
            <marker
              key={id}
              id={id}
              viewBox="0 0 10 10"
              refX="8.5"
              refY="5"
              markerWidth="9"
              markerHeight="9"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path className={id} d="M 1 1 L 9 5 L 1 9 z" />
            </marker>
          ))}
        </defs>
        {scene.lines.map((line) => (
          <Way
            key={line.id}
            line={line}
            view={views.get(line.id)}
            scene={scene}
            from={boxes.get(line.from)}
            to={boxes.get(line.to)}
          />
        ))}
      </svg>
      {scene.lines.map((line) => (
        <Label key={line.id} line={line} view={views.get(line.id)} />
      ))}
    </ViewportPortal>
  )
}

const lookOf = (view: EdgeView | undefined): "taken" | "passed" | "open" =>
  view?.taken ? "taken" : view?.isPassed ? "passed" : "open"

interface WayProps {
  line: SceneLine
  view: EdgeView | undefined
  scene: Scene
  from: SceneBox | undefined
  to: SceneBox | undefined
}

const Way = memo(function Way({ line, view, scene, from, to }: WayProps) {
  if (!from || !to) return null
  const look = lookOf(view)
  return (
    <path
      className={`edge ${look} ${line.edge.clause}`}
      d={pathOf(line, from, to, scene.direction)}
      markerEnd={`url(#${look === "taken" ? "arrow-taken" : "arrow"})`}
    />
  )
})

const Label = memo(function Label({ line, view }: { line: SceneLine; view: EdgeView | undefined }) {
  const taken = view?.taken ?? 0
  const times = taken > 1 ? `×${taken}` : ""
  const place = line.label ?? (times ? middle(line) : null)
  if (!place || (!line.text && !times)) return null
  return (
    <span
      className={`edge-label ${lookOf(view)} ${line.edge.clause}`}
      style={{ transform: `translate(-50%, -50%) translate(${place.x}px, ${place.y}px)` }}
      title={titleOf(line, view)}
    >
      {taken ? <span className="visually-hidden">taken: </span> : null}
      {[line.text, times].filter(Boolean).join(" ")}
    </span>
  )
})

function middle({ points }: SceneLine): { x: number; y: number } | null {
  if (!points || points.length < 2) return null
  const i = Math.floor((points.length - 1) / 2)
  const [a, b] = [points[i]!, points[i + 1]!]
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
}

function titleOf({ edge }: SceneLine, view: EdgeView | undefined): string {
  const lines = [`${edge.from} → ${edge.to}`, edge.clause + (edge.is_default ? " (task-defaults)" : "")]
  if (edge.condition) lines.push(edge.condition)
  if (view)
    lines.push(
      view.taken
        ? `taken ${view.taken === 1 ? "once" : `${view.taken} times`}`
        : view.isPassed
          ? "not taken"
          : view.taken === null
            ? "not known yet"
            : "not yet",
    )
  return lines.join("\n")
}
