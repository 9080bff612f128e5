/** Who uses the page. Read once at the start; changed by log-in, log-out and by a 401. */
import { queryOptions, useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { useNavigate } from "react-router"
import { api, setCsrfToken } from "~/api/client"
import type { Session } from "~/api/types"
import { toastError } from "~/ui"
import { setNeedsToken } from "~/ui/CommandLines"

const EARLY_MS = 45_000 // the server renews a session in its last minute, if it can
const LEAST_MS = 5_000

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => remember(await api.get<Session>("/v2/session")),
  staleTime: Infinity,
  gcTime: Infinity,
  refetchInterval: (query) => (query.state.data ? nextLook(query.state.data, Date.now()) : false),
  refetchIntervalInBackground: true,
})

/** Milliseconds until a session is asked about again: shortly before its end, and at its end. */
export function nextLook(session: Session, now: number): number | false {
  if (!session.expires_at) return false
  const left = Date.parse(session.expires_at) - now
  const wait = left > EARLY_MS + LEAST_MS ? left - EARLY_MS : Math.max(left + 1000, LEAST_MS)
  return Math.min(wait, 2 ** 31 - 1)
}

/** The CSRF token is kept beside the query: in memory only. */
export function remember(session: Session): Session {
  setCsrfToken(session.csrf_token ?? null)
  setNeedsToken(session.auth !== "none")
  return session
}

export function useSession(): Session {
  return useSuspenseQuery(sessionQuery).data
}

/** Ends the session and asks for another log-in: also the way into another project, which a log-in is for. */
export function useLogOut(): () => Promise<void> {
  const client = useQueryClient()
  const navigate = useNavigate()
  return async () => {
    try {
      await api.delete("/v2/session")
      client.clear()
      client.setQueryData(sessionQuery.queryKey, remember(await api.get<Session>("/v2/session")))
      await navigate("/login")
    } catch (error) {
      toastError(error)
    }
  }
}
