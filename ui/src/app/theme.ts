/** Light or dark: as the system has it, unless somebody chose. The choice is the only thing in web storage. */
export type Theme = "system" | "light" | "dark"

const KEY = "ostro.theme"
const systemDark = matchMedia("(prefers-color-scheme: dark)")

export function chosenTheme(): Theme {
  try {
    const value = localStorage.getItem(KEY)
    return value === "light" || value === "dark" ? value : "system"
  } catch {
    return "system" // storage may be forbidden
  }
}

export function chooseTheme(theme: Theme): void {
  try {
    if (theme === "system") localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, theme)
  } catch {
    // then it holds for this visit
  }
  apply(theme)
}

function apply(theme: Theme): void {
  const isDark = theme === "dark" || (theme === "system" && systemDark.matches)
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light"
}

export function followTheme(): void {
  apply(chosenTheme())
  systemDark.addEventListener("change", () => apply(chosenTheme()))
}
