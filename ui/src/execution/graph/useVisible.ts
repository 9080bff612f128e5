/** Which boxes of a scene are in sight. Small scenes are drawn whole; of large ones only what can be seen. */
import type { Viewport } from "@xyflow/react"
import { useCallback, useEffect, useRef, useState, type RefObject } from "react"
import type { Scene, SceneBox } from "./scene"

/** Below this zoom, or with so many in sight, the boxes of a large scene are points of colour on a canvas. */
const FAR = 0.3
const MANY = 150
const MARGIN = 300 // pixels around the frame
const CELL = 1600 // of the index, in pixels of the plane

export interface ViewportCell {
  current: Viewport
  /** Called after each move. */
  listeners: Set<() => void>
}

export function useVisible(scene: Scene, frame: RefObject<HTMLDivElement | null>) {
  const [cell] = useState<ViewportCell>(() => ({ current: { x: 0, y: 0, zoom: 1 }, listeners: new Set() }))
  const [visible, setVisible] = useState<SceneBox[]>(scene.isLarge ? [] : scene.boxes)
  const [isFar, setFar] = useState(false)
  const index = useRef<{ scene: Scene; cells: Map<string, SceneBox[]> } | null>(null)
  const pending = useRef(0)

  const look = useCallback(() => {
    pending.current = 0
    const element = frame.current
    if (!element || !scene.isLarge) return
    if (index.current?.scene !== scene) index.current = { scene, cells: indexed(scene.boxes) }
    const { zoom } = cell.current
    const near = zoom < FAR ? [] : inSight(index.current.cells, cell.current, element)
    const isNear = zoom >= FAR && near.length <= MANY
    setFar(!isNear)
    const found = isNear ? near : []
    setVisible((old) => (old.length === found.length && old.every((box, i) => box === found[i]) ? old : found))
  }, [scene, frame, cell])

  const onMove = useCallback(
    (to: Viewport) => {
      cell.current = to
      for (const listener of cell.listeners) listener()
      if (scene.isLarge) pending.current ||= requestAnimationFrame(look)
    },
    [scene, cell, look],
  )
  useEffect(() => {
    if (scene.isLarge) look()
    else setVisible(scene.boxes)
    for (const listener of cell.listeners) listener()
    return () => cancelAnimationFrame(pending.current)
  }, [scene, look, cell])
  /** The box at a point of the plane. */
  const boxAt = useCallback(
    (x: number, y: number): SceneBox | null =>
      index.current?.cells
        .get(`${Math.floor(x / CELL)},${Math.floor(y / CELL)}`)
        ?.find(
          (box) => !box.isGroup && x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height,
        ) ?? null,
    [],
  )
  return { visible, viewport: cell, onMove, boxAt, isFar: scene.isLarge && isFar }
}

function indexed(boxes: SceneBox[]): Map<string, SceneBox[]> {
  const cells = new Map<string, SceneBox[]>()
  for (const box of boxes) {
    for (let i = Math.floor(box.x / CELL); i <= Math.floor((box.x + box.width) / CELL); i++) {
      for (let j = Math.floor(box.y / CELL); j <= Math.floor((box.y + box.height) / CELL); j++) {
        const key = `${i},${j}`
        const cell = cells.get(key)
        if (cell) cell.push(box)
        else cells.set(key, [box])
      }
    }
  }
  return cells
}

function inSight(cells: Map<string, SceneBox[]>, { x, y, zoom }: Viewport, frame: HTMLElement): SceneBox[] {
  const [left, top] = [(-x - MARGIN) / zoom, (-y - MARGIN) / zoom]
  const [right, bottom] = [(frame.clientWidth - x + MARGIN) / zoom, (frame.clientHeight - y + MARGIN) / zoom]
  const found = new Set<SceneBox>()
  for (let i = Math.floor(left / CELL); i <= Math.floor(right / CELL); i++) {
    for (let j = Math.floor(top / CELL); j <= Math.floor(bottom / CELL); j++) {
      for (const box of cells.get(`${i},${j}`) ?? []) {
        if (box.x < right && box.x + box.width > left && box.y < bottom && box.y + box.height > top) found.add(box)
      }
    }
  }
  return [...found]
}
