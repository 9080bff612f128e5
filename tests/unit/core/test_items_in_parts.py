"""A long list is started in parts, so that the engine can give others their turn between."""

from itertools import pairwise

from ostro.model.commands import StartExecution
from ostro.testing.engine import VirtualEngine

TEXT = """
version: '2.0'
w:
  tasks:
    t: {with-items: "i in <% range(500) %>", action: std.async_noop}
"""
QUANTUM = 100


def test_a_quantum_ends_in_the_middle_of_a_list_and_the_rest_follows() -> None:
    engine = VirtualEngine()
    engine.upload(TEXT)
    engine.submit(StartExecution(root_id=engine.new_id(), workflow="w"))
    begun = [0]
    while engine.is_busy:
        engine.compute(QUANTUM)
        engine.commit()
        begun.append(len(engine.store.actions))
    parts = [after - before for before, after in pairwise(begun)]
    assert begun[-1] == 500
    assert max(parts) < 2 * QUANTUM, parts
