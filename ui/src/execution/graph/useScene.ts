import { useEffect, useState } from "react"
import type { Direction } from "../layout"
import { sceneOf, type Part, type Scene } from "./scene"

const KEY = "ostro.graph-direction"

function remembered(): Direction {
  try {
    return localStorage.getItem(KEY) === "right" ? "right" : "down"
  } catch {
    return "down" // storage may be forbidden
  }
}

/** The scene of a part, laid out anew when its structure changes; until then the former one stays. */
export function useScene(part: Part) {
  const [direction, setDirection] = useState<Direction>(remembered)
  const [scene, setScene] = useState<Scene | null>(null)
  useEffect(() => {
    let isCurrent = true
    void sceneOf(part, direction).then((made) => {
      if (isCurrent) setScene(made)
    })
    return () => {
      isCurrent = false
    }
  }, [part, direction])
  return {
    scene,
    direction,
    setDirection: (to: Direction) => {
      setDirection(to)
      try {
        localStorage.setItem(KEY, to)
      } catch {
        // then it holds for this visit
      }
    },
  }
}
