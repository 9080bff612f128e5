import { useEffect, useSyncExternalStore } from "react"
import { Button } from "./Button"
import { Icon } from "./Icon"

interface Message {
  id: number
  text: string
  tone: "success" | "error"
}

let messages: Message[] = []
let next = 1
const listeners = new Set<() => void>()

function change(to: Message[]): void {
  messages = to
  for (const listener of listeners) listener()
}

/** Says for some seconds what was done, or until it is closed what went wrong. */
export function toast(text: string, tone: "success" | "error" = "success"): void {
  change([...messages.slice(-3), { id: next++, text, tone }])
}

/** For `catch`: the error's own words. */
export function toastError(error: unknown): void {
  toast(error instanceof Error ? error.message : String(error), "error")
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => messages,
  )
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((message) => (
        <Toast key={message.id} message={message} />
      ))}
    </div>
  )
}

function close(message: Message): void {
  change(messages.filter((one) => one !== message))
}

function Toast({ message }: { message: Message }) {
  useEffect(() => {
    if (message.tone === "error") return
    const timer = setTimeout(() => close(message), 5000)
    return () => clearTimeout(timer)
  }, [message])
  return (
    <div className={`toast ${message.tone}`}>
      <Icon name={message.tone === "error" ? "error" : "check"} />
      <span className="grow">{message.text}</span>
      <Button kind="quiet" small icon="cross" aria-label="Close this message" onClick={() => close(message)} />
    </div>
  )
}
