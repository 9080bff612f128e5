import { Button } from "~/ui"
import type { Direction } from "../layout"

interface Props {
  hasFocus: boolean
  direction: Direction
  onFocus: () => void
  onFit: () => void
  onIn: () => void
  onOut: () => void
  onDirection: () => void
}

/** What can be done with the view of a graph; each has a key, too. */
export function GraphTools({ hasFocus, direction, onFocus, onFit, onIn, onOut, onDirection }: Props) {
  return (
    <div className="graph-tools" role="toolbar" aria-label="View of the graph">
      {hasFocus ? <Button small icon="search" aria-label="Go to what failed or runs (f)" onClick={onFocus} /> : null}
      <Button small icon="plus" aria-label="Zoom in (+)" onClick={onIn} />
      <Button small icon="minus" aria-label="Zoom out (-)" onClick={onOut} />
      <Button small icon="expand" aria-label="Show all (0)" onClick={onFit} />
      <Button
        small
        icon={direction === "down" ? "right" : "down"}
        aria-label={direction === "down" ? "Lay out from left to right" : "Lay out from top to bottom"}
        onClick={onDirection}
      />
    </div>
  )
}
