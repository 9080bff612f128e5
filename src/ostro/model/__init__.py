"""Pure data shared by every layer: ids, states, records, commands, errors. Knows no I/O."""
