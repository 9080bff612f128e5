/** A task in the graph: state as icon, word and colour; what it does; iterations, items and attempts. */
import type { Node, NodeProps } from "@xyflow/react"
import { Icon, stateLook } from "~/ui"
import { Items } from "../Items"
import type { NodeView } from "../model/graph"
import type { SceneBox } from "./scene"
import type { GraphActions } from "./GraphView"

export interface TaskNodeData extends Record<string, unknown> {
  box: SceneBox
  view: NodeView | undefined
  isSelected: boolean
  isLive: boolean
  onSelect: GraphActions["onSelect"]
  onToggle: GraphActions["onToggle"] | undefined
  onStep: GraphActions["onStep"] | undefined
}

export function TaskNode({ data }: NodeProps<Node<TaskNodeData>>) {
  const { box, view, isSelected, isLive, onSelect, onToggle } = data
  const { node } = box
  if (node.kind === "command") return <div className="command-node">{node.name}</div>
  const state = view?.state ?? null
  const look = state ? stateLook(state) : null
  const last = view?.runs.at(-1)
  const isHandled = view?.isHandled ?? false
  const what = node.workflow ?? node.action ?? "std.noop"
  const canOpen = onToggle && node.workflow && (!isLive || last)
  return (
    <div
      className={`task-node ${look?.tone ?? "none"} ${state ? `is-${state.toLowerCase()}` : "is-new"} ${isHandled ? "is-handled" : ""} ${isSelected ? "is-selected" : ""}`}
      data-task={node.name}
      data-state={state ?? ""}
    >
      <button
        type="button"
        className="task-node-main"
        tabIndex={isSelected ? 0 : -1}
        aria-pressed={isSelected}
        title={tooltip(box, view)}
        onClick={() => onSelect(box)}
      >
        <span className="task-node-icon">
          {look ? <Icon name={look.icon} size={16} /> : <Icon name={node.workflow ? "workflow" : "action"} size={15} />}
        </span>
        <span className="task-node-text">
          <span className="task-node-name">{node.name}</span>
          <span className="task-node-what">
            {look ? <span className="task-node-state">{isHandled ? "Error, handled" : look.label}</span> : null}
            <span className="task-node-action">{what}</span>
          </span>
        </span>
      </button>
      <span className="task-node-marks">
        {view && view.runs.length > 1 ? (
          <span className="mark" title={`Ran ${view.runs.length} times`}>
            ×{view.runs.length}
          </span>
        ) : null}
        {view && view.retries > 0 ? (
          <span className="mark" title={`Retried ${view.retries} times`}>
            <Icon name="rerun" size={11} /> {view.retries}
          </span>
        ) : null}
        {node.join !== null && node.join !== undefined ? (
          <span className="mark" title="Waits for several branches">
            join {String(node.join)}
          </span>
        ) : null}
        {canOpen ? (
          <button
            type="button"
            className="mark-button"
            tabIndex={isSelected ? 0 : -1}
            aria-label={`Open ${node.name} in place`}
            title="Open in place (e)"
            onClick={() => onToggle(box)}
          >
            <Icon name="expand" size={13} />
          </button>
        ) : null}
      </span>
      {node.with_items ? (
        <div className="task-node-items">
          {last ? (
            <Items task={last} compact />
          ) : (
            <span className="faint ellipsis" title={node.with_items}>
              for each {node.with_items}
            </span>
          )}
        </div>
      ) : null}
    </div>
  )
}

function tooltip({ node }: SceneBox, view: NodeView | undefined): string {
  const lines = [node.name]
  if (node.description) lines.push(node.description)
  if (node.inputs_text) lines.push(node.inputs_text)
  const error = view?.runs.at(-1)?.state_info
  if (error) lines.push("", error.slice(0, 300))
  return lines.join("\n")
}
