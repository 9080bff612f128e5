import { useEffect, useState } from "react"
import { useNavigate } from "react-router"
import { Dialog, useKeys } from "~/ui"
import { PLACES } from "./navigation"

const GENERAL: [keys: string, meaning: string][] = [
  ["/", "Search or filter"],
  ["j  k", "Next or previous row"],
  ["Enter", "Open the row"],
  ["x", "Select the row"],
  ["Esc", "Close what is open"],
  ["?", "This help"],
]

/** Keys that work everywhere, and the help that tells of them. */
export function Keyboard() {
  const navigate = useNavigate()
  const [isHelpOpen, setHelpOpen] = useState(false)
  const places = PLACES.flatMap((group) => group.places)
  useEffect(() => {
    const open = () => setHelpOpen(true)
    document.addEventListener("ostro-help", open)
    return () => document.removeEventListener("ostro-help", open)
  }, [])
  const go = async (to: string) => {
    await navigate(to)
    document.getElementById("main")?.focus() // Tab goes on from there
  }
  useKeys({
    "?": () => setHelpOpen(true),
    "/": () => document.querySelector<HTMLInputElement>("[data-search]")?.focus(),
    ...Object.fromEntries(places.map((place) => [`g ${place.key}`, () => void go(place.to)])),
  })
  if (!isHelpOpen) return null
  return (
    <Dialog title="Keyboard and help" onClose={() => setHelpOpen(false)}>
      <div className="keys">
        <ul>
          {GENERAL.map(([keys, meaning]) => (
            <Shortcut key={keys} keys={keys} meaning={meaning} />
          ))}
        </ul>
        <ul>
          {places.map((place) => (
            <Shortcut key={place.key} keys={`g  ${place.key}`} meaning={place.label} />
          ))}
        </ul>
      </div>
      <p className="soft">
        The API of this server: <a href="/docs">reference</a>, <a href="/openapi.json">OpenAPI</a>. The program behind
        this page and its licences: <a href="/ui/notices.txt">notices</a>.
      </p>
    </Dialog>
  )
}

function Shortcut({ keys, meaning }: { keys: string; meaning: string }) {
  return (
    <li className="shortcut">
      <span>
        {keys.split("  ").map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </span>
      <span>{meaning}</span>
    </li>
  )
}
