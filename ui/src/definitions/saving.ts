/** Saves a definition: makes a new one, or replaces one if nobody else has changed it since it was read. */
import { api, isRecord } from "~/api/client"
import { curlLine, quoted, type Commands } from "~/ui"
import { addressOf, definitionOf, type Definition, type KindInfo } from "./kinds"
import { readDefinition } from "./useDefinition"

/** Somebody else saved in the meantime; `theirs` is what they left. */
export class Overtaken extends Error {
  constructor(readonly theirs: Definition) {
    super("Somebody else has changed it since you opened it.")
  }
}

export async function create(info: KindInfo, text: string): Promise<Definition> {
  const answer = await api.upload<Record<string, unknown>>("POST", info.api, text)
  const list = answer[info.list]
  const first: unknown = Array.isArray(list) ? list[0] : answer
  return definitionOf(info.kind, isRecord(first) ? first : {})
}

/** Raises Overtaken. `base`: as it was read; null overwrites whatever is there. */
export async function update(info: KindInfo, id: string, text: string, base: Definition | null): Promise<void> {
  if (base !== null) {
    const current = await readDefinition(info, id)
    if (current.version !== base.version || current.text !== base.text) throw new Overtaken(current)
  }
  await api.upload("PUT", info.kind === "workbook" ? info.api : addressOf(info, id), text)
}

export function commandsOf(info: KindInfo, definition: Definition | null): Commands {
  const [method, address] = definition
    ? ["PUT", info.kind === "workbook" ? info.api : addressOf(info, definition.id)]
    : ["POST", info.api]
  const verb = definition ? "update" : "create"
  const uid = definition && info.kind === "automation" ? `${definition.id} ` : ""
  const file = `${definition ? definition.name.replaceAll(/[^\w.-]+/g, "_") : "definition"}.yaml`
  return {
    cli: `ostro ${info.kind} ${verb} ${uid}${quoted(file)}`,
    curl: curlLine(method, address, undefined, `@${file}`),
  }
}
