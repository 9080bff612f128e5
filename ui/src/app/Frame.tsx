import { useQueryClient } from "@tanstack/react-query"
import { Suspense, useEffect, useMemo, useRef, useState } from "react"
import { Navigate, NavLink, Outlet, ScrollRestoration, useLocation, useNavigation } from "react-router"
import { setLive, useLive, useLiveState } from "~/live"
import { Button, Icon, Loading, Permission } from "~/ui"
import { Toasts } from "~/ui/Toast"
import { Account } from "./Account"
import { Keyboard } from "./Keyboard"
import { PLACES } from "./navigation"
import { mayOf } from "./rules"
import { useSession } from "./session"

/** Side bar, main part, messages; asks for log-in where that is needed. */
export function Frame() {
  return (
    <Suspense fallback={<Loading />}>
      <Gate />
    </Suspense>
  )
}

function Gate() {
  const session = useSession()
  const may = useMemo(() => mayOf(session), [session])
  const location = useLocation()
  const isKnown = session.is_authenticated
  const who = isKnown ? `${session.project_id}/${session.user_id}/${session.is_admin}` : null
  useEffect(() => {
    setLive(who)
    return () => setLive(null)
  }, [who])
  const wasKnown = useRef(false)
  if (!isKnown) {
    const from = location.pathname + location.search
    const query = new URLSearchParams()
    if (from !== "/") query.set("to", from)
    if (wasKnown.current) query.set("problem", "ended")
    return <Navigate to={`/login${query.size ? `?${query}` : ""}`} replace />
  }
  wasKnown.current = true
  return (
    <Permission value={may}>
      <Shell />
    </Permission>
  )
}

function Shell() {
  const [isMenuOpen, setMenuOpen] = useState(false)
  const location = useLocation()
  const client = useQueryClient()
  useEffect(() => setMenuOpen(false), [location.pathname])
  useLive((batch) => {
    if (batch.isReload) void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "session" })
  })
  return (
    <div className={`frame ${isMenuOpen ? "menu-open" : ""}`}>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="top-bar">
        <Button
          kind="quiet"
          icon="menu"
          aria-label="Menu"
          aria-expanded={isMenuOpen}
          onClick={() => setMenuOpen(!isMenuOpen)}
        />
        <Brand />
      </header>
      <aside className="side-bar">
        <Brand />
        <Navigation />
        <div className="side-foot">
          <Connection />
          <Account />
        </div>
      </aside>
      <div className="scrim" onClick={() => setMenuOpen(false)} />
      <main id="main" className="main" tabIndex={-1}>
        <Progress />
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
      <Keyboard />
      <Toasts />
      <ScrollRestoration />
    </div>
  )
}

function Brand() {
  return (
    <NavLink to="/" className="brand" aria-label="Ostro, home">
      <svg
        viewBox="0 0 32 32"
        width="22"
        height="22"
        fill="none"
        stroke="currentColor"
        strokeWidth="3.2"
        strokeLinecap="round"
        aria-hidden="true"
      >
        <path d="M5 12h14a4.500 4.500 0 1 0-4.500-4.500M5 18h20M5 24h10a3 3 0 1 1-3 3" />
      </svg>
      <span>Ostro</span>
    </NavLink>
  )
}

function Navigation() {
  const { allowed, auth } = useSession()
  return (
    <nav aria-label="Main" className="navigation">
      {PLACES.map((group) => {
        const places = group.places.filter(
          (place) => (!place.rule || allowed.includes(place.rule)) && (place.key !== "t" || auth === "token"),
        )
        if (places.length === 0) return null
        return (
          <div key={group.title ?? ""} className="nav-group">
            {group.title ? <p className="nav-title">{group.title}</p> : null}
            {places.map((place) => (
              <NavLink key={place.to} to={place.to} end={place.to === "/"} className="nav-link">
                <Icon name={place.icon} />
                {place.label}
              </NavLink>
            ))}
          </div>
        )
      })}
    </nav>
  )
}

function Connection() {
  const state = useLiveState()
  const text = state === "live" ? "Live" : state === "broken" ? "Connection lost, trying again" : "Connecting"
  return (
    <p className={`connection ${state}`} role="status">
      <span className="connection-dot" aria-hidden="true" />
      {text}
    </p>
  )
}

function Progress() {
  const navigation = useNavigation()
  return navigation.state === "idle" ? null : <div className="progress-line" role="progressbar" aria-label="Loading" />
}
