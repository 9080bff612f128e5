import { isRecord, parsed } from "~/api/client"

/** A description for people; that of a trigger's execution is JSON that names the trigger. */
export function describe(description: string): string {
  if (!description.startsWith("{")) return description
  const value = parsed(description)
  const trigger = isRecord(value) ? value["triggered_by"] : null
  if (!isRecord(trigger)) return description
  const kind = trigger["type"] === "event_trigger" ? "event trigger" : "cron trigger"
  const name = trigger["name"]
  return typeof name === "string" && name ? `by the ${kind} ${name}` : `by a ${kind}`
}
