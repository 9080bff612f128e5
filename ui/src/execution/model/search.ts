/** The part of a JSON value that holds a text in a key or a value; undefined if there is none. */
import { isRecord } from "~/api/client"

export function found(value: unknown, text: string): unknown {
  return part(value, text.toLowerCase())
}

function part(value: unknown, wanted: string): unknown {
  if (Array.isArray(value)) {
    const kept = value.map((one) => part(one, wanted)).filter((one) => one !== undefined)
    return kept.length ? kept : undefined
  }
  if (isRecord(value)) {
    const kept: [string, unknown][] = []
    for (const [key, one] of Object.entries(value)) {
      const inner = key.toLowerCase().includes(wanted) ? one : part(one, wanted)
      if (inner !== undefined) kept.push([key, inner])
    }
    return kept.length ? Object.fromEntries(kept) : undefined
  }
  return String(value).toLowerCase().includes(wanted) ? value : undefined
}
