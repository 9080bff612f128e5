/** What the editor offers: keys and values by the schema, names of tasks, actions and workflows. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete"
import { keysAt, valuesAt, type Schema } from "./schema"
import { placeAt, tasksAround, type Place } from "./yamlPlace"

export interface Names {
  actions: readonly { name: string; input: string | null; description: string | null }[]
  workflows: readonly string[]
}

const COMMANDS = ["noop", "fail", "succeed", "pause"]
const CLAUSES = new Set(["on-success", "on-error", "on-complete", "on-skip", "next"])

export interface Knowledge {
  schema: Schema | null
  names: Names
}

/** `read`: what can be offered; it is asked for when it is needed first. */
export function completeYaml(read: () => Promise<Knowledge>) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const text = context.state.doc.toString()
    const place = placeAt(text, context.pos)
    const word = context.matchBefore(/[\w.-]*$/)
    if (!context.explicit && (word === null || word.from === word.to)) return null
    const { schema, names } = await read()
    const options = place.isKey
      ? [...entries(place, text, context.pos), ...keys(place, schema)]
      : values(place, schema, names, text, context.pos)
    if (options.length === 0) return null
    return { from: word?.from ?? context.pos, options, validFor: /^[\w.-]*$/ }
  }
}

function keys({ path, siblings, prefix }: Place, schema: Schema | null): Completion[] {
  if (!schema || /\s/.test(prefix.trim())) return []
  return keysAt(schema, path)
    .filter(({ name }) => !siblings.includes(name))
    .map(({ name, description, isRequired, isContainer }) => ({
      label: name,
      type: "property",
      apply: isContainer ? `${name}:` : `${name}: `,
      ...(isRequired ? { detail: "needed", boost: 10 } : {}),
      ...(description ? { info: description } : {}),
    }))
}

/** Entries of a list of transitions: `- task`. */
function entries({ path }: Place, text: string, position: number): Completion[] {
  const list = path.at(-1) === "-" ? path.at(-2) : undefined
  if (list === "requires") return targets(text, position, [])
  return list && CLAUSES.has(list) ? targets(text, position, COMMANDS) : []
}

function targets(text: string, position: number, commands: readonly string[]): Completion[] {
  return [
    ...tasksAround(text, position).map((label): Completion => ({ label, type: "function", boost: 5 })),
    ...commands.map((label): Completion => ({ label, type: "keyword", detail: "command" })),
  ]
}

function values(
  { path, key, prefix }: Place,
  schema: Schema | null,
  names: Names,
  text: string,
  position: number,
): Completion[] {
  if (key === null || /\s/.test(prefix)) return []
  if (key === "action" || key === "base") {
    return names.actions.map(({ name, input, description }) => ({
      label: name,
      type: "function",
      ...(input ? { detail: input.length > 60 ? `${input.slice(0, 59)}…` : input } : {}),
      ...(description ? { info: description } : {}),
    }))
  }
  if (key === "workflow") return names.workflows.map((label) => ({ label, type: "class" }))
  if (key === "requires") return targets(text, position, [])
  if (CLAUSES.has(key)) return targets(text, position, COMMANDS)
  return schema ? valuesAt(schema, [...path, key]).map((label) => ({ label, type: "constant" })) : []
}
