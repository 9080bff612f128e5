/** A sub-workflow that is open in its place: a frame with a head, its tasks are drawn on top. */
import type { Node, NodeProps } from "@xyflow/react"
import { Link } from "react-router"
import { Icon, State } from "~/ui"
import type { TaskNodeData } from "./TaskNode"

export function GroupNode({ data }: NodeProps<Node<TaskNodeData>>) {
  const { box, view, isSelected, onSelect, onToggle, onStep } = data
  const { node, inner } = box
  const place = inner?.place
  const index = isSelected ? 0 : -1
  return (
    <div className={`group-node ${isSelected ? "is-selected" : ""}`} data-group={node.name}>
      <div className="group-head">
        <button type="button" className="group-name" tabIndex={index} onClick={() => onSelect(box)}>
          <Icon name="workflow" size={14} />
          <span className="strong ellipsis">{node.name}</span>
          <span className="mono soft ellipsis">{node.workflow}</span>
        </button>
        {view?.state ? <State state={view.state} /> : null}
        {place ? (
          <span className="group-place">
            <button
              type="button"
              className="mark-button"
              tabIndex={index}
              aria-label="Former item"
              onClick={() => onStep?.(box, -1)}
            >
              <Icon name="left" size={12} />
            </button>
            {place.index + 1} of {place.total}
            <button
              type="button"
              className="mark-button"
              tabIndex={index}
              aria-label="Next item"
              onClick={() => onStep?.(box, 1)}
            >
              <Icon name="right" size={12} />
            </button>
          </span>
        ) : null}
        {inner ? (
          <Link
            className="mark-button"
            tabIndex={index}
            to={`/executions/${inner.id}`}
            aria-label={`Go to the execution of ${node.name}`}
            title="Go to this execution"
          >
            <Icon name="external" size={13} />
          </Link>
        ) : null}
        <button
          type="button"
          className="mark-button"
          tabIndex={index}
          aria-label={`Close ${node.name}`}
          title="Close (e)"
          onClick={() => onToggle?.(box)}
        >
          <Icon name="minus" size={13} />
        </button>
      </div>
    </div>
  )
}
