import { useState } from "react"
import { Button, Icon, type IconName } from "~/ui"
import { isReader } from "./rules"
import { useLogOut, useSession } from "./session"
import { chooseTheme, chosenTheme, type Theme } from "./theme"

const THEMES: { theme: Theme; icon: IconName; label: string }[] = [
  { theme: "system", icon: "system", label: "As the system" },
  { theme: "light", icon: "sun", label: "Light" },
  { theme: "dark", icon: "moon", label: "Dark" },
]

/** Who is here, in which project; theme, help, log-out. */
export function Account() {
  const session = useSession()
  const logOut = useLogOut()
  const [theme, setTheme] = useState(chosenTheme)
  const at = THEMES.findIndex((one) => one.theme === theme)
  const current = THEMES[at] ?? THEMES[0]!
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
      {isReader(session) ? (
        <p className="account-who">
          <span className="tag" title={readerNote(session.roles)}>
            read only
          </span>
        </p>
      ) : null}
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

function readerNote(roles: string[]): string {
  const own = roles.length > 0 ? `Your roles (${roles.join(", ")}) let you look` : "You may look"
  return `${own}, not start or change anything. Ask the server's administrators for more.`
}
