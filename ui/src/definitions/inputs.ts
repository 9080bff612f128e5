/** Declared inputs of a definition, from what the API tells of it. */
import { isRecord, parsed } from "~/api/client"
import type { Input } from "./fields"

/** Of a workflow's `interface`: `{"input": ["who", {"n": 3}]}`, JSON text or object. */
export function inputsOf(interfaceOf: unknown): Input[] {
  const value = parsed(interfaceOf)
  const entries = isRecord(value) && Array.isArray(value["input"]) ? (value["input"] as unknown[]) : []
  return entries.flatMap((entry): Input[] => {
    if (typeof entry === "string") return [{ name: entry, is_required: true, default: null }]
    if (!isRecord(entry)) return []
    return Object.entries(entry).map(([name, value]) => ({ name, is_required: false, default: value }))
  })
}

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
