/** Finds what a JSON schema says about a place in a document. */
import { isRecord } from "~/api/client"

export type Schema = Record<string, unknown>

export interface Offered {
  name: string
  description: string | null
  isRequired: boolean
  /** What its value can be, to write the beginning of it. */
  isContainer: boolean
}

/** All schemas that may hold at a place: alternatives are followed side by side. */
export function schemasAt(root: Schema, path: readonly string[]): Schema[] {
  let current = opened(root, root)
  for (const step of path) {
    const next = current.flatMap((schema) => below(schema, step)).flatMap((schema) => opened(root, schema))
    current = [...new Set(next)]
  }
  return current
}

/** The schema itself and its alternatives, with references followed. */
function opened(root: Schema, schema: Schema, depth = 0): Schema[] {
  if (depth > 8) return []
  const found: Schema[] = []
  const ref = schema["$ref"]
  if (typeof ref === "string") {
    const target = ref
      .replace(/^#\//, "")
      .split("/")
      .reduce<unknown>((at, step) => (isRecord(at) ? at[step] : undefined), root)
    if (isRecord(target)) found.push(...opened(root, target, depth + 1))
  } else {
    found.push(schema)
  }
  for (const name of ["anyOf", "oneOf", "allOf"]) {
    const choices = schema[name]
    if (Array.isArray(choices))
      for (const choice of choices) if (isRecord(choice)) found.push(...opened(root, choice, depth + 1))
  }
  return found
}

function below(schema: Schema, step: string): Schema[] {
  if (step === "-") return isRecord(schema["items"]) ? [schema["items"]] : []
  const properties = schema["properties"]
  if (isRecord(properties) && isRecord(properties[step])) return [properties[step]]
  const patterns = schema["patternProperties"]
  if (isRecord(patterns)) {
    const found = Object.entries(patterns).filter(
      ([pattern, value]) => isRecord(value) && new RegExp(pattern).test(step),
    )
    if (found.length) return found.map(([, value]) => value as Schema)
  }
  const others = schema["additionalProperties"]
  return isRecord(others) ? [others] : []
}

/** Keys that may stand there. */
export function keysAt(root: Schema, path: readonly string[]): Offered[] {
  const found = new Map<string, Offered>()
  for (const schema of schemasAt(root, path)) {
    const properties = schema["properties"]
    if (!isRecord(properties)) continue
    const required = Array.isArray(schema["required"]) ? schema["required"] : []
    for (const [name, value] of Object.entries(properties)) {
      if (found.has(name) || !isRecord(value)) continue
      const forms = opened(root, value)
      found.set(name, {
        name,
        description:
          textOf(value["description"]) ??
          forms.map((form) => textOf(form["description"])).find((text) => text !== null) ??
          null,
        isRequired: required.includes(name),
        isContainer: forms.length > 0 && forms.every((form) => form["type"] === "object" || form["type"] === "array"),
      })
    }
  }
  return [...found.values()]
}

/** Values that may stand there, where they can be counted. */
export function valuesAt(root: Schema, path: readonly string[]): string[] {
  const found = new Set<string>()
  for (const schema of schemasAt(root, path)) {
    if (Array.isArray(schema["enum"]))
      for (const value of schema["enum"])
        found.add(typeof value === "string" && /^[\d.]+$/.test(value) ? `'${value}'` : String(value))
    if (schema["const"] !== undefined) found.add(String(schema["const"]))
    if (schema["type"] === "boolean") found.add("true").add("false")
  }
  return [...found]
}

const textOf = (value: unknown): string | null => (typeof value === "string" && value ? value : null)
