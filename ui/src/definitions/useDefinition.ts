/** One definition, and what the editor needs of the server while somebody types. */
import { keepPreviousData, queryOptions, useQuery, type QueryClient } from "@tanstack/react-query"
import { useEffect, useState } from "react"
import { api } from "~/api/client"
import type { Knowledge, Names } from "~/editor/completion"
import type { Schema } from "~/editor/schema"
import type { Graph, Problem } from "~/execution/types"
import { addressOf, definitionOf, readText, type Definition, type Kind, type KindInfo } from "./kinds"
import { editable } from "./automationText"

export const definitionQuery = (info: KindInfo, id: string) =>
  queryOptions({
    queryKey: ["definition", info.kind, id],
    queryFn: () => readDefinition(info, id),
    staleTime: 0,
    refetchOnMount: "always",
  })

export async function readDefinition(info: KindInfo, id: string): Promise<Definition> {
  const definition = definitionOf(info.kind, await api.get<Record<string, unknown>>(addressOf(info, id)))
  return info.kind === "automation" ? { ...definition, text: editable(await readText(info, id)) } : definition
}

/** The value as it was when nothing changed for `ms`. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms)
    return () => clearTimeout(timer)
  }, [value, ms])
  return settled
}

const NONE: Problem[] = []

export function useLint(kind: Kind, text: string): { problems: readonly Problem[]; isCurrent: boolean } {
  const settled = useSettled(text, 300)
  const { data, isPlaceholderData } = useQuery({
    queryKey: ["lint", kind, settled],
    queryFn: async () => (await api.post<{ problems: Problem[] }>("/v2/lint", { definition: settled, kind })).problems,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 5_000,
  })
  return { problems: data ?? NONE, isCurrent: settled === text && !isPlaceholderData }
}

export function usePreview(text: string, workflow: string | null) {
  const settled = useSettled(text, 300)
  return useQuery({
    queryKey: ["preview", settled, workflow],
    queryFn: () => api.post<Graph>("/v2/graph", { definition: settled, workflow }),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 5_000,
  })
}

const MOST = 1000
const LASTING = 60_000 // ms that names are good for

/** What the editor offers: keys by the schema, names by what is stored. Without an answer nothing is offered. */
export async function knowledgeOf(client: QueryClient, kind: Kind): Promise<Knowledge> {
  const [schema, actions, workflows] = await Promise.all([
    client
      .fetchQuery({
        queryKey: ["schema", kind],
        queryFn: () => api.get<Schema>(`/v2/schema/${kind}`),
        staleTime: Infinity,
      })
      .catch(() => null),
    kind === "automation" ? [] : client.fetchQuery(actionNames).catch(() => []),
    kind === "automation" || kind === "action" ? [] : client.fetchQuery(workflowNames).catch(() => []),
  ])
  return { schema, names: { actions, workflows } }
}

const actionNames = queryOptions({
  queryKey: ["names", "actions"],
  queryFn: async () =>
    (await api.get<{ actions: Names["actions"] }>("/v2/actions", { fields: "name,input,description", limit: MOST }))
      .actions,
  staleTime: LASTING,
})

const workflowNames = queryOptions({
  queryKey: ["names", "workflows"],
  queryFn: async () =>
    (await api.get<{ workflows: { name: string }[] }>("/v2/workflows", { fields: "name", limit: MOST })).workflows.map(
      (one) => one.name,
    ),
  staleTime: LASTING,
})
