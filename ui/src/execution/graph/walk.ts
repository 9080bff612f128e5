/** Where the arrow keys lead: the nearest box in that direction, boxes straight ahead before others. */
import type { Scene, SceneBox } from "./scene"

export type Arrow = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight"

export function isArrow(key: string): key is Arrow {
  return key === "ArrowUp" || key === "ArrowDown" || key === "ArrowLeft" || key === "ArrowRight"
}

export function nextBox(scene: Scene, current: SceneBox, arrow: Arrow): SceneBox | null {
  const isVertical = arrow === "ArrowUp" || arrow === "ArrowDown"
  const sign = arrow === "ArrowDown" || arrow === "ArrowRight" ? 1 : -1
  const [x, y] = middle(current)
  let best: SceneBox | null = null
  let least = Infinity
  for (const box of scene.boxes) {
    if (box.isGroup || box === current) continue
    const [bx, by] = middle(box)
    const ahead = sign * (isVertical ? by - y : bx - x)
    if (ahead <= 4) continue
    const cost = ahead + 2.5 * Math.abs(isVertical ? bx - x : by - y)
    if (cost < least) [best, least] = [box, cost]
  }
  return best
}

const middle = (box: SceneBox): [number, number] => [box.x + box.width / 2, box.y + box.height / 2]
