import type { Kind } from "./kinds"
export function DefinitionPage({ kind }: { kind: Kind }) { return <p>{kind}</p> }
