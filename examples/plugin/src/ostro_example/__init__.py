"""Example actions for Ostro."""
