import { queryOptions } from "@tanstack/react-query"
import { api } from "~/api/client"

/** Workflows by id and name: a trigger knows the id only. */
export const workflowChoices = queryOptions({
  queryKey: ["workflow-names", "ids"],
  queryFn: async ({ signal }) => {
    const query = { fields: "id,name", sort_keys: "name", limit: 2000 }
    return (await api.get<{ workflows: { id: string; name: string }[] }>("/v2/workflows", query, signal)).workflows
  },
})
