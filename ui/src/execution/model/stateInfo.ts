/** Reads a `state_info`: its first line for people, the tasks that it names, and the rest to be folded. */

export interface FailedTask {
  name: string
  /** null: the text does not tell it. */
  id: string | null
  message: string
}

export interface StateInfo {
  headline: string
  /** Tasks that failed, the cause (the innermost) last. */
  tasks: FailedTask[]
  /** What the innermost task says: the reason. */
  cause: string | null
  details: string | null
}

const TASK = /^\s*(.+?) \[task_ex_id=([0-9a-f-]{36})\] -> (.*)$/
const ACTION_ERROR =
  /^(?:Failed to run action|The action raised an exception) \[(?:.*?, )?(?:msg|error)=['"]?(.*?)['"]?\]$/s

/** The engine itself could not go on with a task: an expression failed, an action is unknown. */
const ENGINE_ERROR = /^Failed to [\w ]+ \[error=(.*), (?:wf|action)=.*?, task=([^,\]]+)(?:, action=.*)?\]$/s

export function readStateInfo(text: string): StateInfo {
  const engine = ENGINE_ERROR.exec(text.trim())
  if (engine) {
    const message = engine[1]!.trim()
    const headline = message.split("\n")[0]!
    return { headline, tasks: [{ name: engine[2]!, id: null, message }], cause: message, details: text.trim() }
  }
  const lines = text.split("\n")
  const headline = lines[0]!.trim()
  const tasks: FailedTask[] = []
  for (const line of lines) {
    const found = TASK.exec(line)
    if (found && !tasks.some((task) => task.id === found[2])) {
      tasks.push({ name: found[1]!.trim(), id: found[2]!, message: plain(found[3]!) })
    }
  }
  const rest = lines.slice(1).join("\n").trim()
  const last = tasks.at(-1)
  return { headline, tasks, cause: last && last.message !== headline ? last.message : null, details: rest || null }
}

/** The message inside of "The action raised an exception [action=.., msg='..']". */
export function plain(message: string): string {
  return ACTION_ERROR.exec(message.trim())?.[1] ?? message.trim()
}
