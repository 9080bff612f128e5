/** The text of an automation as people edit it: without what the server sets. */
import { isMap, isScalar, isSeq, parseDocument, stringify, type YAMLMap } from "yaml"

const SET_BY_SERVER = ["uid", "workspace_id", "user_id", "updated_by", "created", "updated", "deleted"]

export function editable(text: string): string {
  const document = parseDocument(text)
  if (document.errors.length) return text
  for (const name of SET_BY_SERVER) document.delete(name)
  const { contents } = document
  if (isMap(contents)) {
    dropNulls(contents)
    const steps = contents.get("steps")
    if (isSeq(steps)) for (const step of steps.items) if (isMap(step)) dropDefaults(step)
  }
  return document.toString({ lineWidth: 0 })
}

/** Fields that are null are as if they were not there; only in a `retry` null means something. */
function dropDefaults(step: YAMLMap): void {
  dropNulls(step)
  const spec = step.get("apispec")
  for (const call of isSeq(spec) ? spec.items : [spec]) if (isMap(call)) dropNulls(call)
}

function dropNulls(map: YAMLMap): void {
  map.items = map.items.filter(({ value }) => !(isScalar(value) && value.value === null && !value.comment))
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
