import { describe, expect, it } from "vitest"
import type { Session } from "~/api/types"
import { isReader, mayOf, ruleOf } from "./rules"

const session = (...allowed: string[]) => ({ allowed }) as unknown as Session

describe("the rule of an action", () => {
  it.each([
    ["execution.start", "executions:create"],
    ["execution.start-again", "executions:create"],
    ["execution.pause", "executions:update"],
    ["execution.rerun", "tasks:update"],
    ["task.skip", "tasks:update"],
    ["action-execution.complete", "action_executions:update"],
    ["action.run", "action_executions:create"],
    ["automation.run", "automation:run"],
    ["automation.restore", "automation:update"],
    ["secret.set", "secrets:update"],
    ["token.revoke", "tokens:delete"],
    ["session.logout", null],
  ])("%s needs %s", (action, rule) => expect(ruleOf(action)).toBe(rule))
})

describe("who may do what", () => {
  it("goes by the rules that the server lets pass", () => {
    const may = mayOf(session("executions:list", "executions:create"))
    expect(may("execution.start")).toBe(true)
    expect(may("execution.cancel")).toBe(false)
    expect(may("session.logout")).toBe(true)
    expect(may(undefined)).toBe(true)
  })

  it("tells readers from others", () => {
    expect(isReader(session("executions:list", "lint:create", "events:create"))).toBe(true)
    expect(isReader(session("executions:list", "tasks:update"))).toBe(false)
  })
})
