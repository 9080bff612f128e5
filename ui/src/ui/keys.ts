import { useEffect, useRef } from "react"

type Handlers = Record<string, (event: KeyboardEvent) => void>

let pending = ""
let pendingTimer: ReturnType<typeof setTimeout> | undefined

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

/**
 * Keys of a view: "j", "?", "g e" (one after the other within a second). Not while somebody types, nor in a dialog.
 */
export function useKeys(handlers: Handlers): void {
  const latest = useRef(handlers)
  useEffect(() => {
    latest.current = handlers
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (isTyping(event.target) || document.querySelector("dialog[open]")) return
      const handler = latest.current[pending ? `${pending} ${event.key}` : event.key]
      if (!handler) return
      event.preventDefault()
      handler(event)
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [])
}

// The first key of a pair is remembered after every handler has seen it.
document.addEventListener("keyup", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
  clearTimeout(pendingTimer)
  if (event.key === "g" && !pending) {
    pending = "g"
    pendingTimer = setTimeout(() => (pending = ""), 1200)
  } else if (event.key !== "Shift") {
    pending = ""
  }
})
