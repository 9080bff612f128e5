/** The start form: fields made of declared inputs, texts made of values and values of texts. */

export interface Input {
  name: string
  is_required: boolean
  default: unknown
}

export type FieldKind = "text" | "number" | "boolean" | "json" | "any"

export interface FormField {
  name: string
  kind: FieldKind
  isRequired: boolean
  /** What a person edits. */
  text: string
  default: unknown
}

/** A field's kind is that of its default; without one anything may be typed. */
export function kindOf(input: Input): FieldKind {
  if (input.is_required || input.default === null || input.default === undefined) return "any"
  switch (typeof input.default) {
    case "boolean":
      return "boolean"
    case "number":
      return "number"
    case "string":
      return "text"
    default:
      return "json"
  }
}

/** `values`: of an earlier execution; they win over defaults. Names that are not declared get fields of their own. */
export function fieldsOf(inputs: readonly Input[], values: Readonly<Record<string, unknown>> = {}): FormField[] {
  const declared = inputs.map((input): FormField => {
    const isGiven = input.name in values
    const value = isGiven ? values[input.name] : input.default
    const own = kindOf(input)
    const kind = isGiven && !fits(own, value) ? "any" : own
    const isEmpty = !isGiven && input.is_required
    return {
      name: input.name,
      kind,
      isRequired: input.is_required,
      text: isEmpty ? "" : textOf(kind, value),
      default: input.default,
    }
  })
  const names = new Set(inputs.map((input) => input.name))
  const others = Object.entries(values)
    .filter(([name]) => !names.has(name))
    .map(([name, value]): FormField => ({
      name,
      kind: "any",
      isRequired: false,
      text: textOf("any", value),
      default: undefined,
    }))
  return [...declared, ...others]
}

function fits(kind: FieldKind, value: unknown): boolean {
  if (kind === "any") return true
  if (kind === "json") return typeof value === "object" && value !== null
  return typeof value === (kind === "text" ? "string" : kind)
}

function textOf(kind: FieldKind, value: unknown): string {
  if (value === undefined) return ""
  if (kind === "text") return String(value)
  if (kind === "json") return JSON.stringify(value, null, 2)
  if (kind === "any" && typeof value === "string") return isJson(value) ? JSON.stringify(value) : value
  return value === null && kind === "any" ? "null" : JSON.stringify(value)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export type Reading = { value: unknown; error: null; isMissing?: boolean } | { value: undefined; error: string }

/** The value of a field, or what is wrong with it. An empty field that is not required keeps its default. */
export function readField({ kind, text, isRequired, name }: FormField): Reading {
  const bare = text.trim()
  if (kind === "text") return { value: text, error: null }
  if (bare === "") {
    return isRequired
      ? { value: undefined, error: `${name} is needed.` }
      : { value: undefined, error: null, isMissing: true }
  }
  if (kind === "number") {
    const value = Number(bare)
    return Number.isFinite(value) ? { value, error: null } : { value: undefined, error: "A number is needed." }
  }
  try {
    return { value: JSON.parse(bare) as unknown, error: null }
  } catch (problem) {
    if (kind === "any") {
      return /^[[{"]/.test(bare)
        ? { value: undefined, error: `This is not JSON: ${(problem as Error).message}` }
        : { value: text, error: null }
    }
    return { value: undefined, error: `This is not JSON: ${(problem as Error).message}` }
  }
}

/** What a reading of "any" was taken for, to be told beside the field. */
export function typeName(value: unknown): string {
  if (value === null) return "null"
  if (Array.isArray(value)) return `list of ${value.length}`
  return (
    { string: "text", number: "number", boolean: "true or false", object: "object" }[typeof value as string] ??
    typeof value
  )
}

/** The input to send: fields that are unlike their default or needed. Null if one of them is wrong. */
export function inputOf(fields: readonly FormField[]): Record<string, unknown> | null {
  const input: Record<string, unknown> = {}
  for (const field of fields) {
    const read = readField(field)
    if (read.error !== null) return null
    if ("isMissing" in read && read.isMissing) continue
    if (!field.isRequired && JSON.stringify(read.value) === JSON.stringify(field.default)) continue
    input[field.name] = read.value
  }
  return input
}
