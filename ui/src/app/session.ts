/** Who uses the page. Read once at the start; changed by log-in, log-out and by a 401. */
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query"
import { api, setCsrfToken } from "~/api/client"
import type { Session } from "~/api/types"
import { setNeedsToken } from "~/ui/CommandLines"

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => remember(await api.get<Session>("/v2/session")),
  staleTime: Infinity,
  gcTime: Infinity,
})

/** The CSRF token is kept beside the query: in memory only. */
export function remember(session: Session): Session {
  setCsrfToken(session.csrf_token ?? null)
  setNeedsToken(session.auth !== "none")
  return session
}

export function useSession(): Session {
  return useSuspenseQuery(sessionQuery).data
}

/** Whether a policy rule lets the caller do that: "executions:create". */
export function useAllowed(rule: string): boolean {
  return useSession().allowed.includes(rule)
}
