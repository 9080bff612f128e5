/** The text of an automation as people edit it: without what the server sets. */
import { parseDocument, stringify } from "yaml"

const SET_BY_SERVER = ["uid", "workspace_id", "user_id", "updated_by", "created", "updated", "deleted"]

export function editable(text: string): string {
  const document = parseDocument(text)
  if (document.errors.length) return text
  for (const name of SET_BY_SERVER) document.delete(name)
  return document.toString({ lineWidth: 0 })
}

const STORED = /^# automation: (\{.*\})$/m

/** A stored revision as a person reads it: the server keeps automations as JSON in one line. */
export function readable(definition: string): string {
  const found = STORED.exec(definition)
  if (!found) return definition
  try {
    return editable(stringify(JSON.parse(found[1]!), { lineWidth: 0 }))
  } catch {
    return definition
  }
}
