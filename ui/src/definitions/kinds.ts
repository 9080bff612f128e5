/** The four kinds of definitions: where they are, what they are called, how one begins. */
import { request } from "~/api/client"
import type { IconName } from "~/ui"

export type Kind = "workflow" | "workbook" | "action" | "automation"

export interface KindInfo {
  kind: Kind
  /** Of the page, below /ui. */
  path: string
  api: string
  /** Of the list in an answer. */
  list: string
  title: string
  one: string
  icon: IconName
  note: string
  /** Ids of what can be done, for tests and for docs/reference/page-and-cli.md. */
  verbs: Record<"create" | "update" | "delete", { action: string }>
  template: string
}

export const KINDS: Record<Kind, KindInfo> = {
  workflow: {
    kind: "workflow",
    path: "/workflows",
    api: "/v2/workflows",
    list: "workflows",
    title: "Workflows",
    one: "workflow",
    icon: "workflow",
    note: "Tasks and what leads from one to the next.",
    verbs: {
      create: { action: "workflow.create" },
      update: { action: "workflow.update" },
      delete: { action: "workflow.delete" },
    },
    template: `version: '2.0'

my_workflow:
  description: Greets somebody
  input:
    - who: world
  tasks:
    greet:
      action: std.echo output="Hello, <% $.who %>!"
      publish:
        greeting: <% task().result %>
      on-success: done
    done:
      action: std.noop
`,
  },
  workbook: {
    kind: "workbook",
    path: "/workbooks",
    api: "/v2/workbooks",
    list: "workbooks",
    title: "Workbooks",
    one: "workbook",
    icon: "workbook",
    note: "Workflows and actions that belong together, under one name.",
    verbs: {
      create: { action: "workbook.create" },
      update: { action: "workbook.update" },
      delete: { action: "workbook.delete" },
    },
    template: `version: '2.0'
name: my_workbook

actions:
  shout:
    input: [text]
    base: std.echo
    base-input:
      output: "{{ _.text | upper }}!"

workflows:
  main:
    tasks:
      say:
        action: shout text='hello'
`,
  },
  action: {
    kind: "action",
    path: "/actions",
    api: "/v2/actions",
    list: "actions",
    title: "Actions",
    one: "action",
    icon: "action",
    note: "What tasks can do: built-in actions, and your own made of them.",
    verbs: {
      create: { action: "action.create" },
      update: { action: "action.update" },
      delete: { action: "action.delete" },
    },
    template: `version: '2.0'

shout:
  description: Says it louder
  input: [text, mark: "!"]
  base: std.echo
  base-input:
    output: "{{ _.text | upper }}{{ _.mark }}"
`,
  },
  automation: {
    kind: "automation",
    path: "/automations",
    api: "/automation/v1/workflows",
    list: "workflows",
    title: "Automations",
    one: "automation",
    icon: "automation",
    note: "Steps that are HTTP calls, one after the other.",
    verbs: {
      create: { action: "automation.create" },
      update: { action: "automation.update" },
      delete: { action: "automation.delete" },
    },
    template: `name: My automation
steps:
  - name: fetch
    apispec:
      url: https://example.com/api/items
      method: GET
    retry: {total: 3, status_forcelist: [500, 502, 503], backoff_factor: 0.5}
    output: items
`,
  },
}

/** What these views read of a definition, whatever its kind. */
export interface Definition {
  id: string
  name: string
  namespace: string
  scope: string
  tags: string[]
  text: string
  input: string | null
  description: string | null
  /** Changes with each save; what a save is checked against. */
  version: string
  isSystem: boolean
  projectId: string
  createdAt: string | null
  updatedAt: string | null
  isDeleted: boolean
}

type Raw = Record<string, unknown>

const text = (value: unknown): string => (typeof value === "string" ? value : "")
const orNull = (value: unknown): string | null => (typeof value === "string" ? value : null)

export function definitionOf(kind: Kind, raw: Raw): Definition {
  const isAutomation = kind === "automation"
  return {
    id: text(isAutomation ? raw["uid"] : raw["id"]),
    name: text(raw["name"]),
    namespace: text(raw["namespace"]),
    scope: text(raw["scope"]),
    tags: Array.isArray(raw["tags"]) ? raw["tags"].map(String) : [],
    text: text(raw["definition"]),
    input: orNull(raw["input"]),
    description: orNull(raw["description"]),
    version: text(raw["updated_at"]) || text(raw["updated"]) || text(raw["created_at"]),
    isSystem: raw["is_system"] === true,
    projectId: text(raw["project_id"] ?? raw["workspace_id"]),
    createdAt: orNull(isAutomation ? raw["created"] : raw["created_at"]),
    updatedAt: orNull(isAutomation ? raw["updated"] : raw["updated_at"]),
    isDeleted: Boolean(raw["deleted"]),
  }
}

/** Where the page shows one. Workbooks go by name. */
export const linkOf = (info: KindInfo, { id, name }: Pick<Definition, "id" | "name">): string =>
  `${info.path}/${encodeURIComponent(info.kind === "workbook" ? name : id)}`

/** Where the API has it. */
export function addressOf(info: KindInfo, id: string): string {
  return `${info.api}/${encodeURIComponent(id)}`
}

export async function readText(info: KindInfo, id: string): Promise<string> {
  return await request<string>("GET", addressOf(info, id), { headers: { Accept: "application/yaml" } })
}
