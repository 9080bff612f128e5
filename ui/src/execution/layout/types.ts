/** What layouts take and give. Coordinates are pixels of the graph's plane, of top-left corners. */

export type Direction = "down" | "right"

export interface Box {
  id: string
  width: number
  height: number
}

export interface Line {
  id: string
  from: string
  to: string
  /** Room for the text on the line, if it has one. */
  label?: { width: number; height: number }
}

export interface LayoutInput {
  boxes: Box[]
  lines: Line[]
  direction: Direction
}

export interface Point {
  x: number
  y: number
}

export interface LayoutResult {
  /** By box id. */
  at: Record<string, Point>
  /** Corners of a line, from its start to its end; lines without an entry are drawn as curves. */
  routes: Record<string, Point[]>
  /** Middle of the text of a line. */
  labels: Record<string, Point>
  width: number
  height: number
}
