import type { IconName } from "~/ui"

export interface Place {
  to: string
  label: string
  icon: IconName
  /** Typed after "g". */
  key: string
  /** The policy rule that the view needs. */
  rule?: string
}

/** The views of the side bar, in groups. */
export const PLACES: { title: string | null; places: Place[] }[] = [
  {
    title: null,
    places: [
      { to: "/", label: "Home", icon: "home", key: "h" },
      { to: "/executions", label: "Executions", icon: "executions", key: "e", rule: "executions:list" },
    ],
  },
  {
    title: "Definitions",
    places: [
      { to: "/workflows", label: "Workflows", icon: "workflow", key: "w", rule: "workflows:list" },
      { to: "/workbooks", label: "Workbooks", icon: "workbook", key: "b", rule: "workbooks:list" },
      { to: "/actions", label: "Actions", icon: "action", key: "a", rule: "actions:list" },
      { to: "/automations", label: "Automations", icon: "automation", key: "m", rule: "automation:list" },
    ],
  },
  {
    title: "Triggers",
    places: [
      { to: "/cron", label: "Cron", icon: "clock", key: "c", rule: "cron_triggers:list" },
      { to: "/events", label: "Events", icon: "event", key: "v", rule: "event_triggers:list" },
    ],
  },
  {
    title: "Settings",
    places: [
      { to: "/environments", label: "Environments", icon: "environment", key: "n", rule: "environments:list" },
      { to: "/secrets", label: "Secrets", icon: "secret", key: "s", rule: "secrets:list" },
      { to: "/services", label: "Services", icon: "service", key: "r", rule: "services:list" },
      { to: "/tokens", label: "Tokens", icon: "token", key: "t", rule: "tokens:list" },
    ],
  },
]
