"""Ostro: durable workflow automation, compatible with Mistral's v2 API and language."""

__version__ = "0.1.0"
