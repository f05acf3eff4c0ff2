"""The verbs: ``command`` in each file is the function behind ``striate <file>``."""

__all__: list[str] = []
