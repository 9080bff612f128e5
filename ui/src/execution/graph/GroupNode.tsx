/** A sub-workflow that is open in its place: a frame with a head, its tasks are drawn on top. */
import type { Node, NodeProps } from "@xyflow/react"
import { Icon, State } from "~/ui"
import type { TaskNodeData } from "./TaskNode"

export function GroupNode({ data }: NodeProps<Node<TaskNodeData>>) {
  const { box, view, isSelected, onSelect, onToggle } = data
  const { node } = box
  return (
    <div className={`group-node ${isSelected ? "is-selected" : ""}`} data-group={node.name}>
      <div className="group-head">
        <button type="button" className="group-name" tabIndex={isSelected ? 0 : -1} onClick={() => onSelect(box)}>
          <Icon name="workflow" size={14} />
          <span className="strong ellipsis">{node.name}</span>
          <span className="mono soft ellipsis">{node.workflow}</span>
        </button>
        {view?.state ? <State state={view.state} /> : null}
        <button type="button" className="mark-button" tabIndex={isSelected ? 0 : -1} aria-label={`Close ${node.name}`} title="Close (e)" onClick={() => onToggle?.(box)}>
          <Icon name="minus" size={13} />
        </button>
      </div>
    </div>
  )
}
