/** One definition, and what the editor needs of the server while somebody types. */
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query"
import { useEffect, useState } from "react"
import { api } from "~/api/client"
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

export function useSchema(kind: Kind): Schema | null {
  return useQuery({ queryKey: ["schema", kind], queryFn: () => api.get<Schema>(`/v2/schema/${kind}`), staleTime: Infinity }).data ?? null
}

const MOST = 1000

/** Names to complete with. */
export function useNames(kind: Kind) {
  const isWanted = kind !== "automation"
  const actions = useQuery({
    queryKey: ["names", "actions"],
    queryFn: async () =>
      (await api.get<{ actions: { name: string; input: string | null; description: string | null }[] }>("/v2/actions", { fields: "name,input,description", limit: MOST })).actions,
    enabled: isWanted,
  })
  const workflows = useQuery({
    queryKey: ["names", "workflows"],
    queryFn: async () => (await api.get<{ workflows: { name: string }[] }>("/v2/workflows", { fields: "name", limit: MOST })).workflows.map((one) => one.name),
    enabled: isWanted && kind !== "action",
  })
  return { actions: actions.data ?? [], workflows: workflows.data ?? [] }
}
