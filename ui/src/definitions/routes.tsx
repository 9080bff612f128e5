/** Addresses of definitions; lists and editors are loaded when they are opened. */
import type { RouteObject } from "react-router"
import type { Kind } from "./kinds"

const list =
  (kind: Kind): RouteObject["lazy"] =>
  async () => {
    const { DefinitionsPage } = await import("./DefinitionsPage")
    return { element: <DefinitionsPage key={kind} kind={kind} /> }
  }

const one =
  (kind: Kind): RouteObject["lazy"] =>
  async () => {
    const { DefinitionPage } = await import("./DefinitionPage")
    return { element: <DefinitionPage key={kind} kind={kind} /> }
  }

const routesOf = (path: string, kind: Kind): RouteObject[] => [
  { path, lazy: list(kind) },
  { path: `${path}/:id`, lazy: one(kind) },
  { path: `${path}/:id/:view`, lazy: one(kind) },
]

export const definitionRoutes: RouteObject[] = [
  ...routesOf("workflows", "workflow"),
  ...routesOf("workbooks", "workbook"),
  ...routesOf("actions", "action"),
  ...routesOf("automations", "automation"),
]
