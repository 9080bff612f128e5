/** Which policy rule of the server guards an action of the page (docs/how-to/authentication.md). */
import type { Session } from "~/api/types"
import type { May } from "~/ui/permission"

const RESOURCES: Record<string, string> = {
  execution: "executions",
  task: "tasks",
  "action-execution": "action_executions",
  workflow: "workflows",
  workbook: "workbooks",
  action: "actions",
  automation: "automation",
  "cron-trigger": "cron_triggers",
  "event-trigger": "event_triggers",
  environment: "environments",
  secret: "secrets",
  token: "tokens",
}
/** All others change what is there: "update". */
const VERBS: Record<string, string> = {
  create: "create",
  start: "create",
  "start-again": "create",
  delete: "delete",
  revoke: "delete",
}
const OTHERS: Record<string, string> = {
  "action run": "action_executions:create",
  "automation run": "automation:run",
  "execution rerun": "tasks:update",
}

/** "execution.start" → "executions:create"; null: nothing guards it. */
export function ruleOf(action: string): string | null {
  const [what = "", verb = ""] = action.split(".")
  const resource = RESOURCES[what]
  if (resource === undefined) return null
  return OTHERS[`${what} ${verb}`] ?? `${resource}:${VERBS[verb] ?? "update"}`
}

export function mayOf({ allowed }: Session): May {
  const rules = new Set(allowed)
  return (action) => {
    const rule = action === undefined ? null : ruleOf(action)
    return rule === null || rules.has(rule)
  }
}

/** May start and change nothing: a mark in the side bar tells why there are no buttons. */
export function isReader({ allowed }: Session): boolean {
  return !allowed.some((rule) => /^(executions|workflows|tasks):(create|update|delete)$/.test(rule))
}
