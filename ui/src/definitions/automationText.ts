/** The text of an automation as people edit it: without what the server sets. */
import { parseDocument } from "yaml"

const SET_BY_SERVER = ["uid", "workspace_id", "user_id", "updated_by", "created", "updated", "deleted"]

export function editable(text: string): string {
  const document = parseDocument(text)
  if (document.errors.length) return text
  for (const name of SET_BY_SERVER) document.delete(name)
  return document.toString({ lineWidth: 0 })
}
