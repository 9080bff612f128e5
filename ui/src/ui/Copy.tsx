import { useEffect, useState } from "react"
import { Button } from "./Button"

/** Copies also where the page is not a secure context (plain http in a network). */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text)
      return
    } catch {
      // refused, such as without focus: the other way may work
    }
  }
  const area = document.createElement("textarea")
  area.value = text
  area.className = "visually-hidden"
  document.body.append(area)
  area.select()
  document.execCommand("copy")
  area.remove()
}

export function CopyButton({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [isDone, setDone] = useState(false)
  useEffect(() => {
    if (!isDone) return
    const timer = setTimeout(() => setDone(false), 1500)
    return () => clearTimeout(timer)
  }, [isDone])
  return (
    <Button
      kind="quiet"
      small
      icon={isDone ? "check" : "copy"}
      aria-label={isDone ? "Copied" : label}
      onClick={(event) => {
        event.stopPropagation()
        void copyText(typeof text === "function" ? text() : text).then(() => setDone(true))
      }}
    />
  )
}
