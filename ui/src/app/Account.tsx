import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useNavigate } from "react-router"
import { api } from "~/api/client"
import { Button, Icon, toastError, type IconName } from "~/ui"
import { remember, sessionQuery, useSession } from "./session"
import { chooseTheme, chosenTheme, type Theme } from "./theme"
import type { Session } from "~/api/types"

const THEMES: { theme: Theme; icon: IconName; label: string }[] = [
  { theme: "system", icon: "system", label: "As the system" },
  { theme: "light", icon: "sun", label: "Light" },
  { theme: "dark", icon: "moon", label: "Dark" },
]

/** Who is here, in which project; theme, help, log-out. */
export function Account() {
  const session = useSession()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [theme, setTheme] = useState(chosenTheme)
  const at = THEMES.findIndex((one) => one.theme === theme)
  const current = THEMES[at] ?? THEMES[0]!
  const logOut = async () => {
    try {
      await api.delete("/v2/session")
      client.clear()
      client.setQueryData(sessionQuery.queryKey, remember(await api.get<Session>("/v2/session")))
      await navigate("/login")
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <div className="account">
      {session.auth === "none" ? null : (
        <p className="account-who">
          <Icon name="user" />
          <span className="ellipsis">
            <span className="strong">{session.user_id ?? "?"}</span>{" "}
            <span className="soft">in {session.project_id}</span>
          </span>
        </p>
      )}
      <div className="account-tools">
        <Button
          kind="quiet"
          icon={current.icon}
          aria-label={`Theme: ${current.label}`}
          onClick={() => {
            const next = THEMES[(at + 1) % THEMES.length]!.theme
            chooseTheme(next)
            setTheme(next)
          }}
        />
        <Button
          kind="quiet"
          icon="help"
          aria-label="Keyboard shortcuts and help"
          onClick={() => document.dispatchEvent(new CustomEvent("ostro-help"))}
        />
        {session.by === "cookie" ? (
          <Button kind="quiet" icon="out" aria-label="Log out" action="session.logout" onClick={() => void logOut()} />
        ) : null}
        <span className="grow" />
        <span className="faint small">{session.version}</span>
      </div>
    </div>
  )
}
