import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { Suspense, useEffect, useState, type FormEvent } from "react"
import { Navigate, useNavigate, useSearchParams } from "react-router"
import { address, api } from "~/api/client"
import type { Session } from "~/api/types"
import { Button, Loading, Note, TextField } from "~/ui"
import { remember, sessionQuery } from "./session"

/** Why one is here, by the server's word or the page's own. Never a text from the address. */
const PROBLEMS: Record<string, string> = {
  ended: "Your session has ended. Log in again to go on where you were.",
  refused: "Your organisation's log-in was cancelled or refused. Try again, or ask its administrators.",
  stale: "That log-in took too long, or was begun in another window. Try again.",
  unknown: "You are known there, but not here: your account may lack a project. Ask Ostro's administrators.",
  unavailable: "Your organisation's log-in cannot be reached at the moment. Try again soon.",
}

/** Log-in by a token, or at the issuer of OIDC tokens. The token goes to the server once and is not kept here. */
export function LoginPage() {
  useEffect(() => {
    document.title = "Log in · Ostro"
  }, [])
  return (
    <main className="login">
      <Suspense fallback={<Loading />}>
        <LoginCard />
      </Suspense>
    </main>
  )
}

/** Only addresses of this page: "/executions?state=ERROR". */
function target(to: string | null): string {
  return to && /^\/(?![/\\])/.test(to) ? to : "/"
}

function LoginCard() {
  const session = useSuspenseQuery(sessionQuery).data
  const client = useQueryClient()
  const navigate = useNavigate()
  const [search] = useSearchParams()
  const [token, setToken] = useState("")
  const [error, setError] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  const to = target(search.get("to"))
  const problem = PROBLEMS[search.get("problem") ?? ""]
  if (session.is_authenticated) return <Navigate to={to} replace />

  const logIn = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      const entered = await api.post<Session>("/v2/session", { token: token.trim() })
      client.clear()
      client.setQueryData(sessionQuery.queryKey, remember(entered))
      await navigate(to, { replace: true })
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem))
      setBusy(false)
    }
  }
  return (
    <div className="login-card">
      <h1>Log in to Ostro</h1>
      {problem ? (
        <Note tone={search.get("problem") === "ended" ? "paused" : "error"} icon="error">
          <span role="alert">{problem}</span>
        </Note>
      ) : null}
      {session.login.oidc ? (
        <>
          <a
            className="button primary"
            href={address(session.login.oidc.authorize_url ?? "/v2/session/oidc", { to: `/ui${to}` })}
            data-action="session.login"
          >
            Continue with your organisation
          </a>
          <p className="login-or soft small">or with a token</p>
        </>
      ) : null}
      <form onSubmit={(event) => void logIn(event)} className="column">
        <TextField
          label="Token"
          type="password"
          name="token"
          value={token}
          onChange={(event) => setToken(event.target.value)}
          error={error}
          hint={
            session.auth === "token" ? (
              <>
                Made by an administrator: <code>ostro token create --project NAME</code>
              </>
            ) : (
              "A token of your identity service."
            )
          }
          required
          autoFocus={!session.login.oidc}
        />
        <Button
          kind={session.login.oidc ? "plain" : "primary"}
          submit
          isBusy={isBusy}
          action="session.login"
          disabled={!token.trim()}
        >
          Log in
        </Button>
      </form>
    </div>
  )
}
