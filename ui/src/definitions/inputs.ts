/** Declared inputs of a definition, from what the API tells of it. */
import type { Input } from "./fields"

/** Of an action's `input`: `output, delay=0`, as lists show it. */
export function inputsOfText(text: string | null): Input[] {
  return (text ?? "")
    .split(/,\s*(?=[\w-]+\s*(?:=|,|$))/)
    .map((part) => part.trim())
    .filter((part) => part !== "" && !part.startsWith("*"))
    .map((part): Input => {
      const at = part.indexOf("=")
      if (at < 0) return { name: part, is_required: true, default: null }
      return { name: part.slice(0, at).trim(), is_required: false, default: defaultOf(part.slice(at + 1).trim()) }
    })
}

function defaultOf(text: string): unknown {
  if (text === "None" || text === "null") return null
  if (text === "True" || text === "False") return text === "True"
  try {
    return JSON.parse(text)
  } catch {
    return text.replace(/^(['"])(.*)\1$/, "$2")
  }
}
